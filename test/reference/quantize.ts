// Quantization and its inverse: q = clamp(rne(x / s) + zp), x = (q − zp)·s, in f32 with a real division.

import type { Node } from "../../src/graph/graph";
import { type DType, type Tensor, tensor } from "../../src/graph/tensor";
import { axisOf, fail, need, numberAttribute, type Operator, stringAttribute } from "./node";
import { offsets, stridesOf } from "./view";

const { fround } = Math;

/** 1.5·2^52: adding it leaves no bits behind the point, so the sum is rounded half to even. */
const ROUNDING = 2 ** 52 * 1.5;

/** Rounds half to even; NaN becomes 0, as a saturating conversion makes it. */
export function rne(x: number): number {
  if (Number.isNaN(x)) return 0;
  return Math.abs(x) < 2 ** 51 ? x + ROUNDING - ROUNDING : x;
}

export const clamp = (x: number, lo: number, hi: number): number => Math.min(Math.max(x, lo), hi);

export function codeRange(dtype: DType): { lo: number; hi: number } {
  if (dtype === "u8") return { lo: 0, hi: 255 };
  if (dtype === "i8") return { lo: -128, hi: 127 };
  if (dtype === "i32") return { lo: -(2 ** 31), hi: 2 ** 31 - 1 };
  throw new Error(`reference: ${dtype} holds no codes`);
}

export const quantizeValue = (x: number, scale: number, zeroPoint: number, lo: number, hi: number): number =>
  clamp(rne(fround(x / scale)) + zeroPoint, lo, hi);

export const dequantizeValue = (q: number, scale: number, zeroPoint: number): number =>
  fround((q - zeroPoint) * scale);

/** Per-tensor quantization of f32 values. */
export function quantizeTensor(x: Tensor, dtype: DType, scale: number, zeroPoint: number): Tensor {
  const { lo, hi } = codeRange(dtype);
  return tensor(
    dtype,
    x.shape,
    Float32Array.from(x.data, (value) => quantizeValue(value, scale, zeroPoint, lo, hi)),
  );
}

/** How scales lie over a tensor: one in all, one an index of `axis`, one a row (last dimension), or blocks. */
export type Granularity = "tensor" | "axis" | "row" | "block";

export function granularityOf(node: Node, x: Tensor, scale: Tensor): Granularity {
  if (numberAttribute(node, "block_size", 0) > 0) return "block";
  if (scale.data.length === 1) return "tensor";
  if (scale.shape.length <= 1) return "axis";
  const isRow = scale.shape.length === x.shape.length && scale.shape.at(-1) === 1;
  return isRow ? "row" : fail(node, `scale of shape [${scale.shape}] for codes of shape [${x.shape}]`);
}

/** For every element of x, the index of its scale and zero point. */
function scaleIndices(node: Node, x: Tensor, scale: Tensor): Int32Array {
  const granularity = granularityOf(node, x, scale);
  if (granularity === "tensor") return new Int32Array(x.data.length);
  if (granularity === "row") return Int32Array.from(x.data, (_, i) => Math.floor(i / x.shape.at(-1)!));
  const axis = axisOf(node, numberAttribute(node, "axis", 1), x.shape.length);
  if (granularity === "axis") {
    if (scale.data.length !== x.shape[axis])
      fail(node, `${scale.data.length} scales for axis ${axis} of [${x.shape}]`);
    return offsets(
      x.shape,
      x.shape.map((_, d) => (d === axis ? 1 : 0)),
    );
  }
  const size = numberAttribute(node, "block_size", 0);
  const strides = stridesOf(x.shape);
  const scaleStrides = stridesOf(scale.shape);
  return Int32Array.from(x.data, (_, i) =>
    x.shape.reduce((at, length, d) => {
      const index = Math.floor(i / strides[d]!) % length;
      return at + (d === axis ? Math.floor(index / size) : index) * scaleStrides[d]!;
    }, 0),
  );
}

const quantizeLinear: Operator = (node, inputs) => {
  const [x, scale, zeroPoint] = [need(node, inputs, 0), need(node, inputs, 1), inputs[2]];
  const dtype = zeroPoint?.dtype ?? (stringAttribute(node, "output_dtype", "u8") as DType);
  const { lo, hi } = codeRange(dtype);
  const at = scaleIndices(node, x, scale);
  return tensor(
    dtype,
    x.shape,
    Float32Array.from(x.data, (value, i) =>
      quantizeValue(value, scale.data[at[i]!]!, zeroPoint?.data[at[i]!] ?? 0, lo, hi),
    ),
  );
};

const dequantizeLinear: Operator = (node, inputs) => {
  const [x, scale, zeroPoint] = [need(node, inputs, 0), need(node, inputs, 1), inputs[2]];
  const at = scaleIndices(node, x, scale);
  return tensor(
    "f32",
    x.shape,
    Float32Array.from(x.data, (q, i) =>
      dequantizeValue(q, scale.data[at[i]!]!, zeroPoint?.data[at[i]!] ?? 0),
    ),
  );
};

/** Scale and zero point that cover all values and 0 in 256 codes; 1 and 0 when all values are 0. */
export function dynamicRange(values: Iterable<number>): { scale: number; zeroPoint: number } {
  let [lo, hi] = [0, 0];
  for (const value of values) [lo, hi] = [Math.min(lo, value), Math.max(hi, value)];
  const scale = fround(fround(hi - lo) / 255) || 1;
  return { scale, zeroPoint: rne(clamp(fround(0 - fround(lo / scale)), 0, 255)) };
}

/** Codes u8, scale f32 and zero point i32: of each row, both [rows…, 1], or without an axis of all. */
const dynamicQuantize: Operator = (node, inputs) => {
  const x = need(node, inputs, 0);
  if (node.attributes.axis === undefined) {
    const { scale, zeroPoint } = dynamicRange(x.data);
    const codes = quantizeTensor(x, "u8", scale, zeroPoint);
    return [codes, tensor("f32", [], [scale]), tensor("i32", [], [zeroPoint])];
  }
  if (axisOf(node, numberAttribute(node, "axis", -1), x.shape.length) !== x.shape.length - 1)
    fail(node, "only rows, along the last axis");
  const cols = x.shape.at(-1)!;
  const codes = tensor("u8", x.shape, []);
  const perRow = [...x.shape.slice(0, -1), 1];
  const [scales, zeroPoints] = [tensor("f32", perRow, []), tensor("i32", perRow, [])];
  for (let r = 0; r < scales.data.length; r++) {
    const row = x.data.subarray(r * cols, (r + 1) * cols);
    const { scale, zeroPoint } = dynamicRange(row);
    scales.data[r] = scale;
    zeroPoints.data[r] = zeroPoint;
    row.forEach((value, i) => {
      codes.data[r * cols + i] = quantizeValue(value, scale, zeroPoint, 0, 255);
    });
  }
  return [codes, scales, zeroPoints];
};

export const quantizeOperators: Readonly<Record<string, Operator>> = {
  QuantizeLinear: quantizeLinear,
  DequantizeLinear: dequantizeLinear,
  DynamicQuantize: dynamicQuantize,
};
