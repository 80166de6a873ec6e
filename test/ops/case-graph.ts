// Cases of an op's table as graphs: over floats or codes, of values that lie in memory as they come or as images do.

import type { Graph, ValueType } from "../../src/graph/graph";
import { evaluateDim, evaluateShape, type Shape, symbolsOf } from "../../src/graph/symbols";
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
  /** It has kernels only when simplified. */
  readonly simplified?: true;
  /** "only": it has no kernel, and is computed where all inputs are known; "refused": it is refused then. */
  readonly known?: "only" | "refused";
  /** Its gradient is random, or that of two nodes, or none passes parameters that a run computes. */
  readonly gradient?: "none";
  /** ONNX has no operators for it. */
  readonly exported?: "refused";
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

/** Cases of an op of one value: scalars, rows, images and what is flattened of them, under each of some attributes. */
export const elementwise = (...ways: readonly Pick<OpCase, "attributes" | "from">[]): readonly OpCase[] => [
  ...ways.flatMap((way) =>
    [["batch", 17], ["batch", 3, 4, 5], [3, 12], ["batch", 3, 5], [3], []].map((shape) => ({
      ...way,
      inputs: [shape],
    })),
  ),
  // A table takes bounds in; floats are held to them by a node of their own, whose gradient is not this op's.
  { ...ways[0], inputs: [["batch", 17]], fused: "Relu", gradient: "none" },
];

const map = ["batch", 6, 4, 5];

/** Cases of an op of two values that are broadcast: the same on both sides, scalars, vectors, rows, columns, maps, both at once. */
export const broadcasting: readonly OpCase[] = [
  {
    inputs: [
      ["batch", 3, 4, 5],
      ["batch", 3, 4, 5],
    ],
  },
  {
    inputs: [
      ["batch", 12],
      ["batch", 12],
    ],
  },
  {
    inputs: [
      ["batch", 17],
      ["batch", 17],
    ],
    fused: "Relu" as const,
  },
  ...[
    [map, []],
    [map, [5]],
    [map, [4, 1]],
    [map, [6, 1, 1]],
    [map, [6, 4, 5]],
    [map, [1, 6, 1, 1]],
    [map, ["batch", 6, 1, 1]],
    [map, ["batch", 1, 4, 5]],
    [map, [1, 1, 4, 5]],
    [map, [2, 1, 1, 1, 1]],
    [map, [2, "batch", 6, 4, 5]],
    [[], []],
    [[1], [1]],
    [["batch", 5], [5]],
    [
      ["batch", 5],
      ["batch", 1],
    ],
    [
      [3, 1],
      [1, 5],
    ],
    [
      [2, 33, 3],
      [2, 1, 3],
    ],
    [[4, 33], [33]],
    [
      [2, 1, 4],
      [1, 3, 1],
    ],
  ].flatMap(([a, b]) => [
    { inputs: [a!, b!], forms: [] },
    { inputs: [b!, a!], forms: [] },
  ]),
].map((one) => ({ ...one, from: [0.5, 2] as const }));

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

/** Attributes with so many rows in place of their symbol. */
export const boundTo = (rows: number, attributes: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      Array.isArray(value)
        ? value.map((dim) => (symbolsOf(dim).includes(BATCH) ? evaluateDim(dim, { [BATCH]: rows }) : dim))
        : value,
    ]),
  );

/** Values that lie channels last, where they are images: all, or only some. */
export const layouts = ["all", "inputs", "first input", "outputs"] as const;

interface Layout {
  readonly lies: (typeof layouts)[number];
  /** Types of its outputs. */
  readonly outputs: readonly ValueType[];
}

/** The graph of a case, whose outputs are those of its node. */
export function caseGraph(op: string, one: OpCase, form: FormName, layout?: Layout): CaseGraph {
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
    const isSeen = layout && layout.lies !== "outputs" && !(layout.lies === "first input" && i > 0);
    const value = builder.input(`x${i}`, shape, dtype);
    if (dtype !== "f32" || !isLayer) return isSeen && dtype === "f32" ? seen(value, shape) : value;
    if (isDynamic) return builder.quantizeDynamically(value);
    const coded = builder.quantize(value, i === 0 || isMoved ? common : builder.range(codes));
    return isSeen ? seen(coded, shape) : coded;
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
  /** What the node made, or that as an image. */
  const read = (value: Coded | string, i: number) => {
    const { dtype, shape } = layout!.outputs[i]!;
    return isReal || (dtype !== "f32" && !codes) ? value : seen(value, shape);
  };
  const last = layout?.lies === "all" || layout?.lies === "outputs" ? made.map(read) : made;
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
