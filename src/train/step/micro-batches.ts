// The backward pass in micro-batches: a few rows of the batch at a time, so that gradients of activations need memory for those rows
// only. Activations of the forward pass are kept for the whole batch, and gradients of parameters are summed over the micro-batches.

import { batchAxis, keepsRows } from "../../engine/batch";
import { substituteDim } from "../../graph/dim-functions";
import type { Attribute, Graph, Node, ValueType } from "../../graph/graph";
import type { Bindings, Dim } from "../../graph/symbols";
import { inferTypes, opOf, type Registry } from "../../ops/infer";
import type { Batched } from "../../ops/op";
import { GraphWriter } from "../../rewrite/graph-writer";
import { firstOf, rowsOf } from "../ops/rows";

/** Micro-batches of `size` rows each; `symbol` counts the rows of the batch. */
export interface Rounds {
  readonly symbol: string;
  readonly size: number;
}

export interface RoundsOptions {
  readonly registry: Registry;
  /** Counts the rows of the batch, each of which the forward pass computes for itself. */
  readonly symbol: string;
  /** Nodes of the forward pass, which begins the graph. */
  readonly forward: number;
  /** Ops that only add their second input to their first. */
  readonly adds: ReadonlySet<string>;
}

/** Rows of a micro-batch: enough to keep kernels busy, and few enough for gradients to be small beside the activations that are kept. */
export const ROUND = 8;

/** A backward pass: what runs once, what runs in every micro-batch, and what runs once after them. */
export interface Passes {
  readonly before: readonly Node[];
  readonly inside: readonly Node[];
  readonly after: readonly Node[];
  readonly rounds?: Rounds;
}

/** The backward pass of a step in micro-batches; undefined where it mixes rows other than by summing over them. */
export function inRounds(graph: Graph, options: RoundsOptions): Passes | undefined {
  const split = new Split(graph, options);
  return split.isPossible ? split.write() : undefined;
}

/** Where a node of the backward pass goes. */
type Place = "before" | "inside" | "after";

class Split {
  readonly #graph: Graph;
  readonly #options: RoundsOptions;
  readonly #types: ReadonlyMap<string, ValueType>;
  readonly #backward: readonly Node[];
  readonly #places = new Map<Node, Place>();
  #isPossible = true;
  /** Values that a micro-batch computes, and those of them that are sums over rows. */
  readonly #inside = new Set<string>();
  readonly #sums = new Set<string>();
  readonly #writer: GraphWriter;
  /** What stands for a value inside. */
  readonly #names = new Map<string, string>();

  constructor(graph: Graph, options: RoundsOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#types = inferTypes(graph, options.registry);
    this.#backward = graph.nodes.slice(options.forward);
    this.#writer = new GraphWriter(graph);
    const after = new Set<string>();
    for (const node of this.#backward) {
      const place = this.#placeOf(node, after);
      this.#places.set(node, place);
      if (place === "inside" && !this.#isApart(node)) this.#isPossible = false;
      for (const output of node.outputs) {
        if (place === "after") after.add(output);
        if (place !== "inside") continue;
        this.#inside.add(output);
        if (!this.#isByRows(output)) {
          this.#sums.add(output);
          after.add(output);
        }
      }
    }
  }

  /** Whether micro-batches compute what the whole batch does: every value is by rows or does not depend on them, and ops say the same. */
  get isPossible(): boolean {
    const values = this.#backward.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]);
    return this.#isPossible && values.every((value) => this.#batched(value).axis <= 0);
  }

  write(): Passes {
    const at = (place: Place) => this.#backward.filter((node) => this.#places.get(node) === place);
    for (const sum of [...this.#sums].filter((value) => this.#leaves(value)))
      this.#add("Zeros", [], [sum], { shape: this.#types.get(sum)!.shape as Attribute });
    const before = [...at("before"), ...this.#writer.nodes.splice(0)];
    for (const node of at("inside")) this.#round(node);
    const rounds = { symbol: this.#options.symbol, size: ROUND };
    return { before, inside: this.#writer.nodes, after: at("after"), rounds };
  }

  #placeOf({ op, inputs, outputs }: Node, after: ReadonlySet<string>): Place {
    const isAdd = this.#options.adds.has(op) && outputs.length === 0;
    if (isAdd && this.#sums.has(inputs[1]!)) return "inside";
    if (inputs.some((value) => after.has(value))) return "after";
    if (inputs.some((value) => value !== "" && this.#isByRows(value))) return "inside";
    return outputs.length === 0 ? "after" : "before";
  }

  /** Whether a node outside of the micro-batches reads a value. */
  #leaves(value: string): boolean {
    const isRead = (node: Node) => node.inputs.includes(value) && this.#places.get(node) !== "inside";
    return this.#graph.outputs.includes(value) || this.#backward.some(isRead);
  }

  /** Writes a node for some rows: it reads those of what is there whole, and what it makes for others is put where they find it. */
  #round(node: Node): void {
    const inputs = node.inputs.map((value) => this.#rowsOf(value));
    const outputs = node.outputs.map((value) => {
      if (value === "") return "";
      const name = this.#leaves(value) ? this.#writer.fresh(`${value}@rows`) : value;
      this.#names.set(value, name);
      return name;
    });
    const attributes = Object.fromEntries(
      Object.entries(node.attributes).map(([name, value]) => [name, this.#forRows(value)]),
    );
    this.#writer.nodes.push({ ...node, inputs, outputs, attributes });
    for (const value of node.outputs) if (value !== "" && this.#leaves(value)) this.#hand(value);
  }

  /** Hands on a value of a micro-batch: adds it to a sum, or puts its rows in their place. */
  #hand(value: string): void {
    const rows = this.#names.get(value)!;
    if (this.#sums.has(value)) this.#add("AccumulateGradient", [value, rows], []);
    else this.#add("PutRows", [rows], [value], { of: this.#options.symbol });
  }

  /** The rows of a value that this micro-batch computes; the value itself where it has no rows of the batch. */
  #rowsOf(value: string): string {
    if (value === "" || (!this.#inside.has(value) && !this.#isByRows(value))) return value;
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const rows = this.#writer.fresh(`${value}@rows`);
    this.#names.set(value, rows);
    this.#add("TakeRows", [value], [rows], { of: this.#options.symbol });
    return rows;
  }

  #forRows(value: Attribute): Attribute {
    const { symbol } = this.#options;
    if (!Array.isArray(value)) return value;
    return value.map((dim: Dim) => substituteDim(dim, symbol, rowsOf(symbol))) as Attribute;
  }

  #add(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Node["attributes"] = {},
  ): void {
    const name = `${outputs[0] ?? inputs[1] ?? "@"}:${op}`;
    this.#writer.nodes.push({ op, name, inputs, outputs, attributes });
  }

  /** Whether a micro-batch computes its outputs by rows, or as sums over the rows of that micro-batch. */
  #isApart(node: Node): boolean {
    const op = opOf(this.#options.registry, node.op, node.name);
    const outputs = node.outputs.filter(Boolean).map((value) => this.#batched(value));
    const rows = outputs.filter(({ axis }) => axis === 0);
    if (rows.length < outputs.length && !op.sums) return false;
    const inputs = node.inputs.map((value) => this.#batched(value));
    return rows.length === 0 || keepsRows(op, node, inputs, rows);
  }

  #batched(value: string): Batched {
    const { shape } = this.#types.get(value) ?? { shape: [] };
    return { shape, axis: batchAxis(shape, this.#options.symbol) };
  }

  #isByRows(value: string): boolean {
    return this.#batched(value).axis === 0;
  }
}

/** The values of all symbols in each micro-batch of a batch. */
export function roundsOf({ symbol, size }: Rounds, bindings: Bindings): Bindings[] {
  const count = bindings[symbol]!;
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => {
    const first = i * size;
    return { ...bindings, [firstOf(symbol)]: first, [rowsOf(symbol)]: Math.min(size, count - first) };
  });
}
