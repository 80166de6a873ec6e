// A model as plain data: named values, nodes in topological order, constants. Passes take a graph and return a
// graph. Types of intermediate values are not stored but inferred (ops/infer.ts), so no file can lie about them.

import type { Dim, Shape } from "./symbols";
import type { Constant, DType, Tensor } from "./tensor";

export type Attribute = number | string | readonly number[] | readonly string[] | readonly Dim[];

export interface Node {
  /** Operator, a key of the op registry. */
  readonly op: string;
  /** Unique in the graph; what errors, profiles and name patterns speak of. */
  readonly name: string;
  /** Names of values; "" where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /**
   * Integer region this node belongs to. The nodes of one region, DequantizeLinear… → op [→ activation] →
   * [QuantizeLinear], are lowered to one integer kernel, always. Set by the quantizer or the importer.
   */
  readonly region?: string;
}

export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * How what is fed becomes the model's input: `(number · scale − mean[c]) / std[c]`, then from `layout` to NCHW.
 * `mean` and `std` have one number a channel, or one for all.
 */
export interface Preprocessing {
  readonly layout: "nchw" | "nhwc";
  readonly scale: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** "numbers": it applies to all that is fed, floats too. Left out: to bytes alone; floats are the model's own numbers. */
  readonly of?: "numbers";
}

export interface Input extends ValueType {
  readonly name: string;
  /** Which feeds are normalized before the model sees them, and how. */
  readonly preprocessing?: Preprocessing;
}

/** With the elements of its constants, or, as `Graph<Constant>`, without those of large ones. */
export interface Graph<C extends Constant = Tensor> {
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly outputs: readonly string[];
  /** Topological order. */
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, C>;
  /** Where the model came from and what was done to it: strings and numbers that reports and tools read. */
  readonly provenance: Readonly<Record<string, unknown>>;
}

/** Node that produces each value. */
export function producersOf(graph: Graph<Constant>): Map<string, Node> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
}

/** The nodes of each integer region, in order. */
export function regionsOf(graph: Graph<Constant>): Map<string, Node[]> {
  const regions = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    if (node.region === undefined) continue;
    const nodes = regions.get(node.region);
    if (nodes) nodes.push(node);
    else regions.set(node.region, [node]);
  }
  return regions;
}

/** Nodes that read each value, in order, one entry a reading. Graph outputs are not listed. */
export function consumersOf(graph: Graph<Constant>): Map<string, Node[]> {
  const consumers = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const input of node.inputs) {
      if (input === "") continue;
      const list = consumers.get(input);
      if (list) list.push(node);
      else consumers.set(input, [node]);
    }
  return consumers;
}
