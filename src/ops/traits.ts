// What the toolkit knows of ops beside what running them needs.

import type { Node, ValueType } from "../graph/graph";
import type { Dim, Shape } from "../graph/symbols";
import type { Op } from "./op";

/**
 * What an op does with codes of 8 bits. `moves`: its output has elements of its first input, and so their scale and zero point;
 * `pads`: so, and zeros; `table`: a function of one value, looked up; `mean`: of one input, by arithmetic; `sum`: of two inputs;
 * `join`: inputs beside each other; `layer`: sums of products with weights; `recurrence`: float states of products of its first
 * input's codes, and of its own states' codes, with weights; `makes` and `reads`: floats become codes, or codes floats; `none`: it works
 * on floats.
 */
export type CodeFlow =
  | "moves"
  | "pads"
  | "table"
  | "mean"
  | "sum"
  | "join"
  | "layer"
  | "recurrence"
  | "makes"
  | "reads"
  | "none";

/**
 * What passes, quantization and training ask of an op of models. A room exports it beside its op, as `reluTraits` beside `relu`:
 * so a runtime does not carry it. What an op could leave out unnoticed has to be said. What follows from known values is here or in the op.
 */
export interface Traits extends Pick<Op, "evaluate" | "follows"> {
  readonly codes: CodeFlow;
  /** Of a `recurrence`: its inputs that hold weights [..., k], whose codes have a scale for each of the rows that are summed over. */
  readonly weights?: readonly number[];
  /** Of a `layer`: where its input and output have their channels, on axis 1 as images do, or last. */
  readonly channels?: "second" | "last";
  /**
   * Whether it commutes with a positive factor for each index of `axis`, and keeps these indices: f(a·x) = a·f(x). What
   * `reshapes` needs no answer.
   */
  readonly homogeneous: undefined | ((node: Node, axis: number, rank: number) => boolean);
  /** The inputs that training changes where they are constants; of a `table`, rows are picked; `others` are floats, too. */
  readonly trained:
    | undefined
    | {
        readonly weight: number;
        readonly bias?: number;
        readonly table?: true;
        readonly others?: readonly number[];
      };
  /**
   * No gradient passes it: it makes integers or steps, or it exists only to be folded before a model is trained. Absent: its rule is
   * what a file of src/train/gradients exports under its name. An op with neither does not compile.
   */
  readonly gradient?: "none";
  /** ONNX has no operator of this name: no file is read into it as it is. */
  readonly onnx?: false;
  /** Its output has the elements of its first input in their order, under another shape. */
  readonly reshapes?: true;
  /** It normalizes rows, and vectors along the last axis scale and shift them then: its inputs after the first. */
  readonly normalizesRows?: true;
  /** Its kernels slide over images. What slides over volumes is another op (passes/general-forms.ts), without an integer kernel. */
  readonly images?: true;
  /** Its output is a softmax of its input, or the logarithm of one. */
  readonly softmax?: true;
  /** Of shapes of its inputs: sizes that are equal in every run of the node, in pairs. Absent: nothing is said. */
  equal?(node: Node, inputs: readonly Shape[]): readonly (readonly [Dim | undefined, Dim | undefined])[];
  /** Of shapes of its inputs: sizes that a run has to have at or above 0 where its output is to have the shape that is told. Absent: none. */
  natural?(node: Node, inputs: readonly Shape[]): readonly Dim[];
  /** Of shapes of its inputs: the dimensions of the products that one element of its output sums. Absent: it sums no products. */
  depth?(inputs: readonly Shape[]): Shape;
  /** Whether the first output is the first input, element by element. Absent: it never is. */
  idle?(node: Node, x: ValueType, y: ValueType): boolean;
  /** The part of its elements that it drops while a model is trained. */
  drops?(node: Node): number;
  /**
   * Of what moves elements: the axis that indices of one have then, and how often they are repeated there in their order. Absent or
   * undefined: nothing is said.
   */
  turned?(
    node: Node,
    axis: number,
    rank: number,
  ): { readonly axis: number; readonly repeats: number } | undefined;
}
