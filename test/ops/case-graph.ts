// Cases of an op's table as graphs: over floats or codes, of values that lie in memory as they come or as images do.

import type { Graph } from "../../src/graph/graph";
import { evaluateShape, type Shape } from "../../src/graph/symbols";
import { type DType, sizeOf, type Tensor, tensor } from "../../src/graph/tensor";
import { BATCH } from "../engine/cuts";
import {
  type Activation,
  type Attributes,
  type Coded,
  type CodeType,
  GraphBuilder,
  type Range,
  randomOf,
} from "../graph-builder";

/** An input that is not just fed floats. */
export interface Operand {
  /** `weights` and `bias` become codes in a layer over codes, `constant` and `fed` stay what they are. */
  readonly is: "weights" | "bias" | "constant" | "fed";
  readonly dtype: DType;
  readonly shape: Shape;
  readonly values?: readonly number[];
  /** Of weights: the axis of their scales, and whether their codes are −128 and 127 only. */
  readonly axis?: number;
  readonly extreme?: boolean;
}

/** One line of a table: a node of its op. */
export interface OpCase {
  /** Said in the test's title, in place of attributes. */
  readonly what?: string;
  /** Shapes of fed floats, other operands, or "" for none. The symbol of rows is "batch". */
  readonly inputs: readonly (Shape | Operand | "")[];
  readonly attributes?: Attributes;
  readonly outputs?: number;
  /** Range of fed floats; [−3, 3] where it is left out. */
  readonly from?: readonly [lo: number, hi: number];
  /** Fused behind it. */
  readonly fused?: Activation;
  /** It has kernels only after simplify(). */
  readonly simplified?: true;
  /** Forms over codes that it is run in, where not all of its op's. */
  readonly forms?: readonly FormName[];
}

/** Weights of a layer: floats, or codes with a scale each index of `axis`. */
export const weights = (shape: readonly number[], axis = 0, extreme = false): Operand => ({
  is: "weights",
  dtype: "f32",
  shape,
  axis,
  extreme,
});
/** Bias of a layer. */
export const bias = (size: number): Operand => ({ is: "bias", dtype: "f32", shape: [size] });
/** Numbers that are known before a run: random floats where none are given. */
export const constant = (
  shape: readonly number[],
  values?: readonly number[],
  dtype: DType = "f32",
): Operand => ({
  is: "constant",
  dtype,
  shape,
  ...(values && { values }),
});
/** What is fed beside floats: integers that are given, or random codes. */
export const fed = (dtype: DType, shape: Shape, values?: readonly number[]): Operand => ({
  is: "fed",
  dtype,
  shape,
  ...(values && { values }),
});

export const operandsOf = ({ inputs }: OpCase): readonly (Operand | undefined)[] =>
  inputs.map((input) => {
    if (input === "") return undefined;
    return "is" in input ? input : { is: "fed", dtype: "f32", shape: input };
  });

/**
 * How a node computes: over floats; over codes of a type, whose result has its first input's range ("moved") or one of its own; with
 * float results, or ranges that are found in each run.
 */
const forms = {
  float: {},
  u8: { codes: "u8" },
  i8: { codes: "i8" },
  "u8 moved": { codes: "u8", isMoved: true },
  "i8 moved": { codes: "i8", isMoved: true },
  "u8 to floats": { codes: "u8", isReal: true },
  dynamic: { codes: "u8", isReal: true, isDynamic: true },
} satisfies Record<string, Form>;

interface Form {
  readonly codes?: CodeType;
  readonly isMoved?: boolean;
  readonly isReal?: boolean;
  readonly isDynamic?: boolean;
}

export type FormName = keyof typeof forms;

export interface CaseGraph {
  readonly graph: Graph;
  readonly feeds: (fill: Fill) => Readonly<Record<string, Tensor>>;
}

/** What fed floats hold; far outside every range all but "random" make codes lowest or highest. */
export type Fill = "random" | "min" | "max" | "extremes";

/** Rows that are fed. */
export const ROWS = 5;
/** Outside of every range. */
const FAR = 1e6;
/** A pooling of single pixels: makes its input channels-last and changes nothing. */
const pixel = (shape: Shape) => ({ kernel_shape: shape.slice(2).map(() => 1) });
/** Whether a value of this shape can lie channels last. */
export const isImage = (shape: Shape): boolean =>
  (shape.length === 3 || shape.length === 4) && shape.slice(1).every((dim) => typeof dim === "number");

/** The values of what is fed. */
export const sizesOf = (shape: Shape): number[] => [...evaluateShape(shape, { [BATCH]: ROWS })];

interface Layout {
  /** Types of its outputs, where these are images that are read channels-last as its inputs are. */
  readonly images?: readonly Shape[];
}

/** The graph of a case, whose outputs are those of its node. */
export function caseGraph(op: string, one: OpCase, form: FormName, { images }: Layout = {}): CaseGraph {
  const { codes, isMoved, isReal, isDynamic }: Form = forms[form];
  const { attributes = {}, outputs = 1, fused, from: [lo, hi] = [-3, 3] } = one;
  const builder = new GraphBuilder(3);
  const common = builder.range(codes);
  const operands = operandsOf(one);
  const products = operands.flatMap((operand) =>
    operand?.is === "weights"
      ? [sizeOf(operand.shape as number[]) / (operand.shape[operand.axis!] as number)]
      : [],
  );
  const k = products[0] ?? 1;
  let w: Coded | undefined;

  /** A value or constant, as codes where the form has them. */
  const place = (operand: Operand | undefined, i: number): Coded | string => {
    if (!operand) return "";
    const { is, dtype, shape, values } = operand;
    const sizes = shape as readonly number[];
    const isLayer = codes !== undefined;
    if (is === "weights" && isLayer) {
      w = builder.weights(`x${i}`, sizes, operand.axis!, operand.extreme);
      return w;
    }
    if (is === "bias" && isLayer && !isReal) return builder.bias(`x${i}`, w!, k);
    if (is === "constant" && values) return builder.constant(`x${i}`, tensor(dtype, sizes, values));
    if (is !== "fed") return builder.floats(`x${i}`, sizes, is === "weights" ? Math.sqrt(3 / k) : 1);
    const fedValue = builder.input(`x${i}`, shape, dtype);
    if (dtype !== "f32" || !isLayer) return images && dtype === "f32" ? seen(fedValue, shape) : fedValue;
    const isFirst = i === 0 || isMoved;
    const coded = isDynamic
      ? builder.quantizeDynamically(fedValue)
      : builder.quantize(fedValue, isFirst ? common : builder.range(codes));
    return images ? seen(coded, shape) : coded;
  };

  /** A value as it is after a pooling of single pixels, if it is an image. */
  function seen<V extends Coded | string>(value: V, shape: Shape): V {
    if (!isImage(shape)) return value;
    if (typeof value === "string")
      return builder.node("MaxPool", [value], `${value}_image`, pixel(shape)) as V;
    const { range } = value;
    return builder.layer("MaxPool", [value], `${value.codes}_image`, {
      attributes: pixel(shape),
      range,
    }) as V;
  }

  const inputs = operands.map(place);
  const results = Array.from({ length: outputs }, (_, i) => `y${i}`);
  let made: readonly (Coded | string)[] = results;
  if (codes) {
    const range = isMoved ? common : rangeOf(builder, codes, inputs[0] as Coded, w, k);
    made = [
      builder.layer(op, inputs, "y", { attributes, activation: fused, range: isReal ? undefined : range }),
    ];
  } else {
    const names = inputs as readonly string[];
    builder.multiple(op, names, fused ? ["core"] : results, attributes);
    if (fused) builder.node(fused, ["core"], results[0]!, fused === "Clip" ? { min: 0, max: 0.5 } : {});
  }
  const last = images ? made.map((value, i) => (isReal ? value : seen(value, images[i]!))) : made;
  const graph = builder.build(...last.map((value) => (typeof value === "string" ? value : value.codes)));
  return { graph, feeds: (fill) => feedsOf(operands, fill, lo, hi) };
}

/** A range that sums of k products fill without saturating throughout, or any. */
function rangeOf(builder: GraphBuilder, codes: CodeType, x: Coded, w: Coded | undefined, k: number): Range {
  const range = builder.range(codes);
  if (!w || !x.range) return range;
  return { ...range, scale: Math.fround(x.range.scale * w.scales![0]! * Math.sqrt(Math.max(k, 1)) * 90) };
}

function feedsOf(
  operands: readonly (Operand | undefined)[],
  fill: Fill,
  lo: number,
  hi: number,
): Record<string, Tensor> {
  const { below, between } = randomOf(7);
  const real = {
    random: () => between(lo, hi),
    min: () => -FAR,
    max: () => FAR,
    extremes: () => (below(2) ? FAR : -FAR),
  }[fill];
  const numberOf = (dtype: DType) =>
    dtype === "f32" ? real() : dtype === "bool" ? below(2) : below(256) - (dtype === "u8" ? 0 : 128);
  const all = operands.flatMap((operand, i) => {
    if (operand?.is !== "fed") return [];
    const shape = sizesOf(operand.shape);
    const values = operand.values ?? Array.from({ length: sizeOf(shape) }, () => numberOf(operand.dtype));
    return [[`x${i}`, tensor(operand.dtype, shape, values)] as const];
  });
  return Object.fromEntries(all);
}
