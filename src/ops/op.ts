// What an op knows about itself: the types it makes, what it computes on known values, the layout it wants and the
// kernels it becomes. One op is one file in this folder; its gradient lives elsewhere, so that a device which only
// infers does not carry it.

import { OctetteError } from "../errors";
import type { GroupScales, Input, Node, ValueType } from "../graph/graph";
import { type Dim, formatShape, type Shape } from "../graph/symbols";
import type { DType, Tensor } from "../graph/tensor";
import type { Acted, Host } from "./act";
import type { Layout, Lowering } from "./lowering";
import { sizesIn } from "./sizes";

export { type Address, type Buffer, behind, NONE, type Size } from "./address";
export {
  type Content,
  elementsOf,
  type KernelName,
  type Kernels,
  type Layout,
  type LoadArguments,
  type Lowering,
  type NamedConstant,
  type StepArguments,
} from "./lowering";
export type { CodeFlow, Traits } from "./traits";

/** A value whose elements are known before a run: constants, and the integers of shape arithmetic. */
export interface Known {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Numbers, or dimensions over symbols where the value came from a Shape. */
  readonly data: ArrayLike<Dim>;
}

/** Layouts of the inputs and outputs of an op. */
export interface Layouts {
  readonly inputs: readonly Layout[];
  readonly outputs: readonly Layout[];
}

/** Scale and zero point of the codes an integer op reads or writes. */
export interface Quantization {
  /** The value (or constant) that holds the codes. */
  readonly codes: string;
  readonly dtype: "u8" | "i8" | "i32";
  /** One element, or one a channel of `axis`; empty when `dynamic`. */
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  readonly axis: number;
  /** Scales of groups of weights: of constants, by name. */
  readonly groups?: GroupScales;
  /** Values that hold scale and zero point found at run time: one a row, or in all; of computed weights one a channel, and "". */
  readonly dynamic?: { readonly scale: string; readonly zeroPoint: string };
}

/** What is lowered at once: one op, with the activation that is fused into it. */
export interface Unit {
  readonly node: Node;
  /** The op's inputs: values or constants, "" where left out; in an integer unit the codes. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Bounds of a fused Relu or Clip, in real numbers. */
  readonly clamp?: { readonly lo: number; readonly hi: number };
  /** Present where the unit is an integer layer; without `output` its result is float. */
  readonly integer?: {
    readonly inputs: readonly (Quantization | undefined)[];
    readonly output?: Quantization;
  };
  /** Fused Add: adds the fourth input to this layer's output codes, which `integer.output` describes, before they are stored. */
  readonly sum?: {
    readonly output: Quantization;
    readonly clamp?: { readonly lo: number; readonly hi: number };
  };
}

/** A shape and its batch axis: the one along which the rows of a batch lie; −1 where the value does not depend on them. */
export interface Batched {
  readonly shape: Shape;
  readonly axis: number;
}

/** Inputs of an op that takes any number. (Infinity becomes a division in a bundle, which keeps the op there.) */
export const ANY_NUMBER = 2 ** 31;

/** Types of the outputs of graphs, by the names of the graphs. */
export type GraphTypes = Readonly<Record<string, readonly ValueType[]>>;

/** What passes ask of an op that runs graphs. */
export interface Control {
  /** The first of the node's inputs that all of its graphs have as their last ones, as they are: what they read of the graph around. */
  captures(node: Node): number;
  /** Types of the inputs of each graph, where values that a loop carries keep their shapes. */
  enter(node: Node, inputs: readonly (ValueType | undefined)[]): Readonly<Record<string, readonly Input[]>>;
  /** Inputs of more general types, where those of a loop's body are not what the body makes of them; undefined where they are. */
  widen?(node: Node, graphs: GraphTypes): Readonly<Record<string, readonly Input[]>> | undefined;
  /** The graph that a node stands for where its inputs are known so far; undefined where a run decides. */
  choose?(node: Node, known: readonly (Known | undefined)[]): string | undefined;
}

/** What an op knows about itself. */
export interface Op {
  /** Types of the outputs. Throws an OctetteError whose message names node, shapes and the way out. */
  infer(
    node: Node,
    inputs: readonly (ValueType | undefined)[],
    /** Types of the outputs of the node's graphs, over their own symbols. */
    graphs?: GraphTypes,
  ): readonly ValueType[];
  /** Names of the graphs that a node of it has; none by default. */
  readonly graphs?: readonly string[];
  /** What it does with its graphs: of ops that have some. */
  readonly control?: Control;
  /** Most inputs it reads, 1 by default. A node with more is refused. */
  readonly inputs?: number;
  /** Inputs that must be known before a run, and the attribute each becomes (a number list) when it is. */
  readonly parameters?: Readonly<Record<number, string>>;
  /** Its parameter is a shape for the elements of its first input, which says what 0 and −1 in it stand for. */
  readonly reshapes?: true;
  /** Those of the parameters whose numbers may be symbols: a run may find them. */
  readonly open?: readonly number[];
  /** Those of the parameters that a run may compute too: one number each, read as an input. */
  readonly computable?: readonly number[];
  /** The other attributes it reads, none by default. A node with an unknown attribute is refused. */
  readonly attributes?: readonly string[];
  /** Outputs computed on the host where all inputs are known (for Shape: where the type is). */
  evaluate?(
    node: Node,
    inputs: readonly (Known | undefined)[],
    types: readonly (ValueType | undefined)[],
  ): readonly Known[] | undefined;
  /**
   * Whether each row of its outputs is computed from the same row of its inputs, so that a batch can be cut into parts.
   * `true`: it is, where the batch axes of all inputs and outputs have the same length. Absent: rows meet. It is asked only
   * where every output has a batch axis.
   */
  readonly rows?: true | ((node: Node, inputs: readonly Batched[], outputs: readonly Batched[]) => boolean);
  /** Of gradients: outputs without a batch axis are sums over rows, so that those of a batch's parts are added. */
  readonly sums?: true;
  /** The layouts it reads and makes, given the layouts of its inputs; `of` tells the layout of any earlier value. Absent: plain. */
  layout?(
    node: Node,
    inputs: readonly Layout[],
    types: readonly (ValueType | undefined)[],
    of: (value: string) => Layout,
  ): Layouts;
  /** Bounds of a clamp that an op before it can take in. Absent or undefined: it is none. */
  clamp?(node: Node): { readonly lo: number; readonly hi: number } | undefined;
  /** Whether a Relu or Clip after it can become bounds of its last step: over codes only, or over floats too. */
  readonly fusesClamp?: "integer" | "always";
  /** Whether an Add over its codes can be done in its last step. */
  fusesAdd?(node: Node): boolean;
  /** Its output has the numbers of its first input, in whatever order. */
  readonly moves?: true;
  /** It is an Add, over codes too. */
  readonly adds?: true;
  /** How many sizes only a run finds: symbols in its attribute `found`, which `act` gives values. */
  finds?(node: Node, inputs: readonly (ValueType | undefined)[], graphs?: GraphTypes): number;
  /** Those of the sizes it finds that follow from inputs which are known; undefined for one that a run has to find. */
  follows?(node: Node, known: readonly (Known | undefined)[]): readonly (Dim | undefined)[];
  /** What the host computes between steps, instead of `lower`: parameters and `found` are numbers then. */
  act?(node: Node, inputs: readonly Tensor[], host: Host): Acted;
  /**
   * Float steps. Absent on ops that only exist to be folded.
   * @internal
   */
  lower?(unit: Unit, c: Lowering): void;
  /**
   * Steps over codes. Absent on ops that are always float.
   * @internal
   */
  lowerInteger?(unit: Unit, c: Lowering): void;
}

/** An op with rules of its own where it differs from another. */
// @__NO_SIDE_EFFECTS__
export function extend<Base extends Op>(op: Base, rules: Partial<Base>): Base {
  return { ...op, ...rules };
}

/** A number attribute, or its default. */
export function numberOf(node: Node, name: string, otherwise: number): number {
  const value = node.attributes[name] ?? otherwise;
  if (typeof value !== "number") throw badAttribute(node, name, "a number", value);
  return value;
}

/** A list of numbers, or its default. */
export function numbersOf(node: Node, name: string, otherwise: readonly number[]): readonly number[] {
  const value = node.attributes[name] ?? otherwise;
  if (!Array.isArray(value)) throw badAttribute(node, name, "a list of numbers", value);
  return sizesIn(`${node.op} "${node.name}", ${name}`, value);
}

/** A string attribute, or its default. */
export function stringOf(node: Node, name: string, otherwise: string): string {
  const value = node.attributes[name] ?? otherwise;
  if (typeof value !== "string") throw badAttribute(node, name, "a string", value);
  return value;
}

const badAttribute = (node: Node, name: string, expected: string, got: unknown) =>
  opError(node, `attribute ${name} does not fit`, { expected, got: JSON.stringify(got) });

/** An error about a node: `Conv "stem.0": what: expected …, got …. Way out`. */
export const opError = (
  node: Node,
  what: string,
  facts: { expected?: string; got?: string; hint?: string } = {},
) => new OctetteError(what, { code: "graph", where: `${node.op} "${node.name}"`, ...facts });

/** The type of input `index`, which must be there and float: of an integer layer, that of the numbers its codes stand for. */
export function floatType(node: Node, inputs: readonly (ValueType | undefined)[], index: number): ValueType {
  const type = inputType(node, inputs, index);
  if (type.dtype === "f32") return type;
  throw opError(node, `element type of input ${index} does not fit`, { expected: "f32", got: type.dtype });
}

/** Checks parameters that are computed: one number each, of the input's element type. */
export function checkComputed(
  node: Node,
  { computable = [], parameters = {} }: Op,
  inputs: readonly (ValueType | undefined)[],
): void {
  const x = inputType(node, inputs, 0);
  for (const i of computable) {
    const type = inputs[i];
    if (type && (type.dtype !== x.dtype || type.shape.some((dim) => dim !== 1)))
      throw opError(node, `${parameters[i]} does not fit`, {
        expected: `${x.dtype} []`,
        got: `${type.dtype} ${formatShape(type.shape)}`,
      });
  }
}

/** The type of input `index`, which must be there. */
export function inputType(node: Node, inputs: readonly (ValueType | undefined)[], index: number): ValueType {
  const type = inputs[index];
  if (!type) throw opError(node, `input ${index} is missing`);
  return type;
}
