// Symbols that become what they are in every run: a number that weights are made for, another symbol, or what has become known since a
// node was given them to find. Quotients of dimensions become those of natural numbers.

import { floored, substituteDim } from "../graph/dim-functions";
import type { Graph, Node, ValueType } from "../graph/graph";
import { FreshNames } from "../graph/names";
import {
  type Dim,
  divideDims,
  isNatural,
  maxDims,
  minDims,
  multiplyDims,
  type Shape,
  subtractDims,
  symbolsOf,
} from "../graph/symbols";
import { withinLimits } from "../graph/within-limits";
import { bound } from "../ops/bound";
import { broadcastLayout } from "../ops/broadcast";
import type { ToolkitOps } from "../ops/infer";
import { ANY_NUMBER, type Known } from "../ops/op";
import { joinedSize } from "./joined-sizes";
import { removeDead } from "./remove-dead";

export class SettledSizes {
  readonly #registry: ToolkitOps;
  /** Sizes of inputs, in their order. */
  readonly #given: readonly Dim[];
  readonly #sizes: Record<string, Dim> = {};
  /** Sizes that a run refuses where they are below 0, and what needs them. */
  readonly #natural: Map<Dim, string>;
  /** Sizes that nodes need at or above 0. */
  readonly #needs = new Map<Node, readonly Dim[]>();
  /** Pairs of sizes that nodes broadcast. */
  readonly #pairs = new Map<Node, readonly Pair[]>();
  /** Nodes that refuse runs in which such pairs do not fit, by the pair. */
  readonly #fits = new Map<string, Node>();

  constructor({ inputs, nodes }: Graph, registry: ToolkitOps) {
    this.#registry = registry;
    this.#given = inputs.flatMap(({ shape }) => shape);
    const all = nodes.filter(({ op }) => op === "Natural");
    for (const node of all) if (node.attributes.fits) this.#fits.set(`${node.attributes.fits}`, node);
    const natural = all.filter(({ attributes }) => !attributes.fits);
    this.#natural = new Map(
      natural.flatMap(({ name, attributes }) =>
        (attributes.values as readonly Dim[]).map((dim) => [dim, name] as const),
      ),
    );
  }

  /** Keeps in mind what a node needs of sizes: should nothing read what it makes in the end, a run is still to be refused. */
  read(node: Node, inputs: readonly (ValueType | undefined)[]): void {
    const shapes = inputs.map((type) => type?.shape ?? []);
    const op = this.#registry[node.op]!;
    if (op.layout === broadcastLayout) {
      const pairs = unlike(shapes);
      if (pairs.length > 0) this.#pairs.set(node, pairs);
      return;
    }
    const natural = op.natural?.(node, shapes).filter((dim) => typeof dim === "string");
    if (!natural?.length) return;
    // A shape is written out later, and nodes that reshape are joined.
    if (op.reshapes) for (const dim of natural) this.need(dim, node.name);
    else this.#needs.set(node, natural);
  }

  /** What symbols are where a node runs, by their names; undefined where it says nothing new. */
  by(node: Node, inputs: readonly Shape[], known: readonly (Known | undefined)[]) {
    const { follows, equal, inputs: most = 1 } = this.#registry[node.op]!;
    // Inputs that are left out are no error before types are inferred.
    const leftOut: Shape[] =
      most === ANY_NUMBER ? [] : Array<Shape>(Math.max(0, most - inputs.length)).fill([]);
    const found = (node.attributes.found ?? []) as readonly Dim[];
    const following = follows?.(node, known) ?? [];
    const pairs = [
      ...(equal?.(node, [...inputs, ...leftOut]) ?? []).flatMap(([a, b]) => this.#equal(a, b)),
      ...found.flatMap((symbol, i) => solved(symbol, following[i])),
    ];
    if (pairs.length === 0) return undefined;
    const own = Object.fromEntries(pairs);
    Object.assign(this.#sizes, own);
    return own;
  }

  /** Of two symbols that are equal, the one that inputs have later becomes the other. */
  #equal(a: Dim | undefined, b: Dim | undefined) {
    if (typeof a === "number") return solved(b, a);
    if (typeof b === "number") return solved(a, b);
    if (![a, b].every((dim) => dim !== undefined && symbolsOf(dim)[0] === dim)) return [];
    const at = (dim: Dim | undefined) => (this.#given.includes(dim!) ? this.#given.indexOf(dim!) : Infinity);
    return at(a) > at(b) ? solved(a, b) : solved(b, a);
  }

  /** A known value with quotients towards −∞, as sizes of windows have, in place of those towards 0; `by` is the node that makes it, or the value. */
  floored(known: Known, by: string): Known {
    const { data } = known;
    if (ArrayBuffer.isView(data) || !Object.hasOwn(this.#registry, "Natural")) return known;
    const needs = (dim: Dim) => this.need(dim, by);
    return {
      ...known,
      data: Array.from(data, (dim) => joinedSize(`${dim}`.includes("trunc(") ? floored(dim, needs) : dim)),
    };
  }

  /** Refuses runs in which a size is below 0, in the name of the node that needs it not to be. */
  need(dim: Dim, by: string): void {
    if (!isNatural(dim) && !this.#natural.has(dim)) this.#natural.set(dim, by);
  }

  /** Adds what nodes need of which nothing reads what they make. */
  #addLost(graph: Graph): void {
    if (!Object.hasOwn(this.#registry, "Natural")) return;
    const left = new Set(removeDead(graph).nodes);
    for (const [node, dims] of this.#needs)
      if (!left.has(node)) for (const dim of dims) this.need(dim, node.name);
    for (const [{ op, name, inputs }, pairs] of [...this.#pairs].filter(([node]) => !left.has(node)))
      for (const pair of pairs) {
        const by = `${name} (${op} of ${inputs.join(", ")})`;
        if (!this.#fits.has(`${pair}`))
          this.#fits.set(`${pair}`, natural(by, { values: fitting(pair), fits: pair }));
      }
  }

  /** The graph with what symbols are, and nodes that refuse sizes which nodes cannot have, each with the name of the one that needs others. */
  applied(graph: Graph): Graph {
    if (this.#natural.size + this.#needs.size + this.#pairs.size === 0)
      return bound(graph, this.#registry, this.#sizes);
    const said = new SettledSizes(graph, this.#registry);
    this.#addLost(graph);
    const needs = new Map<string, Dim[]>();
    for (const [dim, by] of this.#natural) {
      if (said.#natural.has(dim)) continue;
      const own = needs.get(by);
      if (own) own.push(dim);
      else needs.set(by, [dim]);
    }
    const names = new FreshNames(graph.nodes.map(({ name }) => name));
    const added = [
      ...[...needs].map(([by, values]) => natural(`${by}_sizes`, { values })),
      ...[...this.#fits].filter(([pair]) => !said.#fits.has(pair)).map(([, node]) => node),
    ].map((node) => ({ ...node, name: names.fresh(node.name) }));
    const whole = added.length > 0 ? { ...graph, nodes: [...graph.nodes, ...added] } : graph;
    return bound(whole, this.#registry, this.#sizes);
  }
}

type Pair = readonly [Dim, Dim];

/** A node that refuses sizes. */
const natural = (name: string, attributes: Node["attributes"]): Node => ({
  op: "Natural",
  name,
  inputs: [],
  outputs: [],
  attributes: { ...attributes, found: [] },
});

/** Dimensions that broadcast to each other where a run finds them equal, or one of them 1. */
function unlike(shapes: readonly Shape[]): Pair[] {
  const rank = shapes.reduce((most, { length }) => Math.max(most, length), 0);
  return Array.from({ length: rank }, (_, axis) => {
    const own = shapes.map((shape) => shape.at(-1 - axis) ?? 1).filter((dim) => dim !== 1);
    const dims = [...new Set(own)];
    return dims.flatMap((a, i) => dims.slice(i + 1).map((b) => [a, b] as const));
  }).flat();
}

/** Of two such dimensions, numbers of which one is below 0 where they do not fit; none where they have too many terms for that. */
function fitting([a, b]: Pair): Dim[] {
  const values = withinLimits(() => {
    const [least, most] = [minDims(a, b), maxDims(a, b)];
    return [
      multiplyDims(subtractDims(most, least), subtractDims(1, least)),
      // 0 beside more than 1.
      multiplyDims(subtractDims(1, a), subtractDims(1, b)),
    ];
  });
  return values?.filter((dim) => typeof dim === "string") ?? [];
}

/** The symbol that a dimension has, and what it is where that dimension is another one; nothing where that does not follow. */
function solved(dim: Dim | undefined, is: Dim | undefined): readonly (readonly [string, Dim])[] {
  if (typeof dim !== "string" || is === undefined || dim === is) return [];
  const [symbol, ...others] = symbolsOf(dim);
  if (symbol === undefined || others.length > 0) return [];
  if (symbol === dim) return [[symbol, is]];
  const rest = substituteDim(dim, symbol, 0);
  const factor = divideDims(subtractDims(dim, rest), symbol);
  if (typeof factor !== "number" || typeof is !== "number") return [];
  const value = divideDims(subtractDims(is, rest), factor);
  return typeof value === "number" ? [[symbol, value]] : [];
}
