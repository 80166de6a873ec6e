// Graph → graph with its backward pass: one rule a unit, the last unit first. What completes the gradient of something
// trained is told at once, so that its update can follow there and its memory be used again.

import { unitsOf } from "../../engine/units";
import { OctetteError } from "../../errors";
import type { Attribute, Graph, Node, ValueType } from "../../graph/graph";
import type { Tensor } from "../../graph/tensor";
import { plus } from "../../ops/compose";
import { inferTypes } from "../../ops/infer";
import { type CodeFlow, opError, type Unit } from "../../ops/op";
import { GraphWriter } from "../../rewrite/graph-writer";
import { scaleGradientOf } from "../gradients/learned-scale";
import type { Backward, Rule } from "../gradients/rule";
import { type StepOps, training } from "../training";
import { writeReal } from "./observe";

export interface DifferentiateOptions {
  readonly registry: StepOps;
  /** Rules by op; octette's own where they are left out. */
  readonly gradients?: Readonly<Record<string, Rule>>;
  /** Values of the graph and, for each, the value that holds its gradient: what losses give. */
  readonly seeds: readonly (readonly [value: string, gradient: string])[];
  /** Constants whose gradients are wanted. */
  readonly trained: ReadonlySet<string>;
  /** Codes whose scale is learned, if gradient reaches them. */
  readonly learned?: ReadonlySet<string>;
  /** Called with what holds the gradient of such a scale, a number a sample. */
  slope?(codes: string, gradient: string): void;
  /** Called as soon as nothing adds to the gradient of something trained any more; may add nodes that read it. */
  complete(name: string, gradient: string, add: (node: Node) => void): void;
}

/** What makes codes that stop gradient where they are out of range: they get a mask. */
const MASKED: ReadonlySet<string> = new Set(["sum", "mean", "layer", "makes"] satisfies CodeFlow[]);

/** Throws an OctetteError that lists every node without a gradient that stands between a loss and something trained. */
export function differentiate(graph: Graph, options: DifferentiateOptions): Graph {
  return new Differentiation(graph, options).run();
}

class Differentiation implements Backward {
  readonly #graph: Graph;
  readonly #options: DifferentiateOptions;
  readonly #types: Map<string, ValueType>;
  readonly #units: readonly Unit[];
  readonly #wanted: Set<string>;
  readonly #writer: GraphWriter;
  readonly #gradients = new Map<string, string>();
  /** Where the gradient of a value passes. */
  readonly #masks = new Map<string, string>();
  /** Of masked gradients: what they are made of. */
  readonly #unmasked = new Map<string, readonly [gradient: string, mask: string]>();
  /** Name of the unit whose gradient is being written. */
  #at = "";

  constructor(graph: Graph, options: DifferentiateOptions) {
    this.#graph = graph;
    this.#options = options;
    this.#types = inferTypes(graph, options.registry);
    this.#units = unitsOf(graph, options.registry, this.#types, new Set());
    this.#wanted = new Set(options.trained);
    for (const unit of this.#units)
      if (readBy(unit).some((value) => this.#wanted.has(value)))
        for (const value of this.#carriers(unit)) this.#wanted.add(value);
    this.#writer = new GraphWriter(graph);
  }

  run(): Graph {
    this.#forward();
    for (const [value, gradient] of this.#options.seeds) this.give(value, gradient);
    const first = this.#firstReaders();
    const units = [...this.#units].reverse();
    this.#checkRules(units);
    for (const unit of units) {
      this.#backward(unit);
      for (const name of first.get(unit) ?? []) this.#complete(name);
    }
    return this.#writer.done();
  }

  type(value: string): ValueType {
    return this.#types.get(value)!;
  }

  constant(value: string): Tensor | undefined {
    return this.#graph.constants.get(value);
  }

  quantized(codes: string): string {
    const node = this.#graph.nodes.find(({ outputs }) => outputs[0] === codes);
    if (node?.op === "DynamicQuantize") return node.inputs[0]!;
    throw opError(node ?? this.#graph.nodes[0]!, "codes whose range is found at run time were moved", {
      expected: `"${codes}" made by DynamicQuantize`,
      hint: "Move the numbers before they are quantized",
    });
  }

  wants(value: string): boolean {
    return this.#wanted.has(value);
  }

  write(
    op: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    outputs = 1,
  ): readonly [string, ...string[]] {
    const name = `${this.#at}:${op}`;
    const values = Array.from({ length: outputs }, () => this.#writer.fresh(name)) as [string, ...string[]];
    this.#writer.add(op, name, inputs, values, attributes);
    return values;
  }

  /** One of its own even where it equals another: how a step is laid out does not depend on its numbers. */
  data(tensor: Tensor): string {
    const name = this.#writer.fresh(`${this.#at}:data`);
    this.#writer.constants.set(name, tensor);
    return name;
  }

  unmasked(dy: string): readonly [string, string] | undefined {
    const known = this.#unmasked.get(dy);
    const others = [...this.#gradients.values()].filter((gradient) => gradient === known?.[0]);
    return others.length > 0 ? known : undefined;
  }

  take(value: string): string | undefined {
    const known = this.#gradients.get(value);
    this.#gradients.delete(value);
    return known;
  }

  give(value: string, gradient: string): void {
    const known = this.#gradients.get(value);
    const { op, inputs } = plus(known ?? "", gradient);
    this.#gradients.set(value, known === undefined ? gradient : this.write(op, inputs)[0]);
  }

  /** Every node as it is, and a mask beside what passes gradient in places only: codes, and floats of which some are dropped. */
  #forward(): void {
    const masked = new Set(
      this.#units.filter((unit) => this.#isMasked(unit)).map(({ outputs }) => outputs[0]!),
    );
    for (const node of this.#graph.nodes) {
      const [y] = node.outputs;
      if (y === undefined || !masked.has(y)) {
        this.#writer.nodes.push(node);
        continue;
      }
      const mask = this.#writer.fresh(`${y}_mask`);
      this.#masks.set(y, mask);
      this.#writer.nodes.push({ ...node, outputs: [y, mask, ...node.outputs.slice(2)] });
    }
  }

  #isMasked({ node, outputs, integer }: Unit): boolean {
    if (!this.wants(outputs[0]!)) return false;
    const { codes = "none", drops } = this.#options.registry[node.op] ?? {};
    return drops ? drops(node) > 0 : integer?.output !== undefined && MASKED.has(codes);
  }

  /** The trained constants that each unit is the first to read: behind it, nothing adds to their gradients. */
  #firstReaders(): Map<Unit, string[]> {
    const first = new Map<Unit, string[]>();
    const left = new Set(this.#options.trained);
    for (const unit of this.#units) {
      const names = readBy(unit).filter((value) => left.delete(value));
      if (names.length > 0) first.set(unit, names);
    }
    return first;
  }

  #ruleOf({ op }: Node): Rule | undefined {
    const { gradients = training.gradients } = this.#options;
    return Object.hasOwn(gradients, op) ? gradients[op] : undefined;
  }

  /** Outputs that pass a gradient. Of a node that makes codes only the codes do: their scales follow the quantized values without one. */
  #carriers({ node, outputs }: Unit): readonly string[] {
    return this.#options.registry[node.op]?.codes === "makes" ? outputs.slice(0, 1) : outputs;
  }

  #backward(unit: Unit): void {
    const dy = unit.outputs.map((value) => this.take(value));
    if (dy.every((gradient) => gradient === undefined) || !this.wants(unit.outputs[0]!)) return;
    const { node } = unit;
    this.#at = node.name;
    const rule = this.#ruleOf(node)!;
    const [y] = unit.outputs as [string];
    if (dy[0] !== undefined && this.#options.learned?.has(y)) {
      const real = () => (node.codes ? writeReal(node, (...made) => this.write(...made)) : unit.inputs[0]!);
      this.#options.slope!(y, scaleGradientOf(unit, dy[0], this, real));
    }
    const mask = this.#masks.get(y);
    if (mask !== undefined && dy[0] !== undefined) {
      const [masked] = this.write("MaskGradient", [dy[0], mask], { like: y });
      this.#unmasked.set(masked, [dy[0], mask]);
      dy[0] = masked;
    } else if (unit.clamp && !unit.integer?.output && dy[0] !== undefined) {
      const { lo, hi } = unit.clamp;
      dy[0] = this.write("ClipGradient", [dy[0], y], { lo, hi })[0];
    }
    rule(unit, dy, this);
  }

  #complete(name: string): void {
    const gradient = this.#gradients.get(name);
    if (gradient === undefined) return;
    this.#options.complete(name, gradient, (node) => this.#writer.nodes.push(node));
  }

  #checkRules(units: readonly Unit[]): void {
    const seeded = new Set(this.#options.seeds.map(([value]) => value));
    const needed = new Set(seeded);
    const missing: Node[] = [];
    for (const { node, inputs, outputs } of units) {
      if (!outputs.some((value) => needed.has(value)) || !this.wants(outputs[0]!)) continue;
      if (!this.#ruleOf(node)) missing.push(node);
      for (const value of inputs) needed.add(value);
    }
    if (missing.length > 0)
      throw new OctetteError("no gradient for these nodes", {
        code: "unsupported",
        where: this.#graph.name,
        got: missing.map(({ op, name }) => `${op} "${name}"`).join(", "),
        hint: 'Train what lies behind them only: train: "last:N" or a name pattern',
      });
    const unreached = [...this.#options.trained].filter(
      (name) => !units.some((unit) => readBy(unit).includes(name)),
    );
    if (unreached.length > 0)
      throw opError(this.#graph.nodes[0]!, "nothing reads what is to be trained", {
        got: unreached.join(", "),
      });
  }
}

/** Values and constants that a unit reads. */
const readBy = ({ inputs, integer }: Unit): string[] => [
  ...inputs.filter((value) => value !== ""),
  ...(integer?.inputs ?? []).flatMap((q) => (q?.dynamic ? [q.dynamic.scale] : [])),
];
