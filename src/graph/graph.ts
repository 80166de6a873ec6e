// A model as plain data: named values, nodes in topological order, constants. Passes take a graph and return a
// graph. Types of intermediate values are not stored but inferred (ops/infer.ts), so no file can lie about them.

import type { Dim, Shape } from "./symbols";
import type { Constant, DType, Tensor } from "./tensor";

/** What an attribute of a node holds. */
export type Attribute = number | string | readonly number[] | readonly string[] | readonly Dim[];

/** How codes q are read: they stand for (q − zeroPoint) · scale. Names of constants, or of values found at run time. */
export interface CodeParameters {
  /** "" for the int32 codes of a bias: they are in units of the layer's sums, scale of x · scale of the weights. */
  readonly scale: string;
  /** "" where it is 0. */
  readonly zeroPoint: string;
  /** Axis that has one pair an index, −1 where every row has its own, in their order; absent where there is one pair in all. */
  readonly axis?: number;
  /** Scales of groups of weights, beside `scale`, which is that of a row. */
  readonly groups?: GroupScales;
}

/**
 * Weights [n, k] in groups of `size` along k: w = scale[n] · (s[n, g] · q − t[n, g]). s is a constant of i8, or of f32 where `scale` is
 * "": then w = s[n, g] · q − t[n, g].
 */
export interface GroupScales {
  readonly size: number;
  /** s [n, k / size]. */
  readonly scales: string;
  /** t [n, k / size], i32 or f32 as the scales are whole or not; absent where it is 0. */
  readonly offsets?: string;
}

/** What makes a node an integer layer: the codes it reads and makes. It is computed by one integer kernel, always. */
export interface Codes {
  /** Of each input that holds codes; undefined for an input that is read as it is. */
  readonly inputs: readonly (CodeParameters | undefined)[];
  /** Of the first output, whose codes have the type of their zero point (u8 without one). Absent: its result is float. */
  readonly output?: CodeParameters;
  /** Bounds of the fused activation, in real numbers. */
  readonly bounds?: { readonly lo: number; readonly hi: number };
}

/** One operator of a graph, with the names of its inputs and outputs. */
export interface Node {
  /** Operator, a key of the op registry. */
  readonly op: string;
  /** Unique in the graph; what errors, profiles and name patterns speak of. */
  readonly name: string;
  /** Names of values; "" where an optional input is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** Present on integer layers: set by the quantizer, or where a quantized file is read. */
  readonly codes?: Codes;
  /** Graphs that the op runs, such as the branches of an If, by its names for them (graph/bodies.ts). */
  readonly graphs?: Readonly<Record<string, Graph<Constant>>>;
}

/** The dtype and the shape of a value. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/**
 * How feeds become the model's input: `(number · scale − mean[c]) / std[c]`, then from `layout` to NCHW.
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

/** An input of a graph: its name, its type, and what normalizes its feeds. */
export interface Input extends ValueType {
  readonly name: string;
  /** Which feeds are normalized before the model sees them, and how. */
  readonly preprocessing?: Preprocessing;
}

/** Memory that is kept from run to run, zeros at first: nodes that have it among their inputs read it and write to it. */
export interface State extends ValueType {
  readonly name: string;
}

/** With the elements of its constants, or, as `Graph<Constant>`, without those of large ones. */
export interface Graph<C extends Constant = Tensor> {
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly outputs: readonly string[];
  /** Topological order. */
  readonly nodes: readonly Node[];
  readonly constants: ReadonlyMap<string, C>;
  /** Caches and the like; left out where a run does not depend on those before it. */
  readonly states?: readonly State[];
  /** Names of a classifier's classes, in the order of the last dimension of its first output; left out where nobody named them. */
  readonly classes?: readonly string[];
  /** Where the model came from and what was done to it: strings and numbers that reports and tools read. */
  readonly provenance: Readonly<Record<string, unknown>>;
}

/** Node that produces each value. */
export function producersOf(graph: Graph<Constant>): Map<string, Node> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
}

/** All names that a node reads: its inputs, and scales and zero points of codes. */
export function readsOf({ inputs, codes }: Node): string[] {
  const names = inputs.filter((name) => name !== "");
  if (!codes) return names;
  for (const parameters of [...codes.inputs, codes.output])
    for (const name of namesIn(parameters)) if (name !== "") names.push(name);
  return names;
}

const namesIn = (p: CodeParameters | undefined): string[] =>
  p ? [p.scale, p.zeroPoint, p.groups?.scales ?? "", p.groups?.offsets ?? ""] : [];

/** Names of all values: inputs, constants, states and what nodes make. */
export const valueNames = ({ inputs, constants, states = [], nodes }: Graph<Constant>): string[] => [
  ...inputs.map(({ name }) => name),
  ...constants.keys(),
  ...states.map(({ name }) => name),
  ...nodes.flatMap(({ outputs }) => outputs),
];

/** Whether a node reads or makes codes: one of a quantized model. */
export const isQuantized = ({ op, codes }: Node): boolean =>
  codes !== undefined || /^(DynamicQuantize|(Dequ|Qu)antizeLinear)$/.test(op);

/** A node under other names of what it reads and makes. */
export function renamed(node: Node, nameOf: (value: string) => string): Node {
  const { codes } = node;
  const parameters = (p: CodeParameters) => ({
    ...p,
    scale: nameOf(p.scale),
    zeroPoint: nameOf(p.zeroPoint),
    ...(p.groups && { groups: groupsUnder(p.groups, nameOf) }),
  });
  return {
    ...node,
    inputs: node.inputs.map(nameOf),
    outputs: node.outputs.map(nameOf),
    ...(codes && {
      codes: {
        ...codes,
        inputs: codes.inputs.map((p) => p && parameters(p)),
        ...(codes.output && { output: parameters(codes.output) }),
      },
    }),
  };
}

const groupsUnder = ({ size, scales, offsets }: GroupScales, nameOf: (value: string) => string) => ({
  size,
  scales: nameOf(scales),
  ...(offsets !== undefined && { offsets: nameOf(offsets) }),
});

/** Nodes that read each value, in order, one entry a reading. Graph outputs are not listed. */
export function consumersOf(graph: Graph<Constant>): Map<string, Node[]> {
  const consumers = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const input of readsOf(node)) {
      const list = consumers.get(input);
      if (list) list.push(node);
      else consumers.set(input, [node]);
    }
  return consumers;
}
