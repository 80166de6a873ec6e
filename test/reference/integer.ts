// Integer steps: exact sums over codes, one requantization each. Sums are held as numbers, which are exact here (below
// 2^53); one that would not fit the kernels' int32 is an error.

import type { Node } from "../../src/graph/graph";
import { type DType, sizeOf, type Tensor, type TypedArray, tensor } from "../../src/graph/tensor";
import { poolKernel, reducedAxes } from "./float";
import { fail, numberAttribute } from "./node";
import { productOf } from "./product";
import { clamp, dequantizeValue, rne } from "./quantize";
import { offsets, stridesOf } from "./view";
import { eachPatch, PADDING, tapMajor, windowsOf } from "./windows";

const { fround } = Math;

/** Codes with their scales and zero points, one in all, one an index of `axis`, or one a row. */
export interface Codes {
  readonly tensor: Tensor;
  readonly scale: ArrayLike<number>;
  readonly zeroPoint: ArrayLike<number>;
  readonly granularity: "tensor" | "axis" | "row";
  /** Counted from the front; of meaning for "axis" only. */
  readonly axis: number;
}

/** What the last step of a region makes: codes, with bounds that a fused Relu or Clip may have narrowed. */
export interface Output {
  readonly dtype: DType;
  readonly scale: number;
  readonly zeroPoint: number;
  readonly lo: number;
  readonly hi: number;
}

/** Exact sums, the zero points of both operands taken out; bias not yet in. */
export interface Sums {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  /** Output channel and row of element i: ⌊i / inner⌋ mod channels, ⌊i / (inner · channels)⌋. */
  readonly channels: number;
  readonly inner: number;
}

const at = (values: ArrayLike<number>, i: number): number => (values.length === 1 ? values[0]! : values[i]!);

function rangeSum(values: TypedArray, start: number, count: number): number {
  let sum = 0;
  for (let i = start; i < start + count; i++) sum += values[i]!;
  return sum;
}

function dot(a: TypedArray, aStart: number, b: TypedArray, bStart: number, k: number): number {
  let sum = 0;
  for (let i = 0; i < k; i++) sum += a[aStart + i]! * b[bStart + i]!;
  return sum;
}

/** Σ (x − zx)(w − zw), as raw − zw·Σx − zx·Σw + K·zx·zw. */
const corrected = (raw: number, xSum: number, wSum: number, k: number, zx: number, zw: number): number =>
  raw - zw * xSum - zx * wSum + k * zx * zw;

export function sumsOf(node: Node, x: Codes, w: Codes): Sums {
  if (w.granularity === "row") fail(node, "weights have one scale, or one an output channel");
  return node.op === "Conv" ? convSums(node, x, w) : productSums(node, x, w);
}

/** Padding reads as the input's zero point, which is real 0. */
function convSums(node: Node, x: Codes, w: Codes): Sums {
  if (x.granularity !== "tensor") fail(node, "the input of a convolution has one scale");
  if (w.granularity === "axis" && w.axis !== 0) fail(node, "the scales of weights lie along axis 0");
  const [images = 0, channels = 0, ...spatial] = x.tensor.shape;
  const [outputs = 0, groupChannels = 0, ...kernel] = w.tensor.shape;
  const groups = numberAttribute(node, "group", 1);
  if (channels !== groupChannels * groups)
    fail(node, `${channels} channels, weights for ${groupChannels * groups}`);
  const windows = windowsOf(node, spatial, kernel);
  const weights = tapMajor(w.tensor);
  const k = groupChannels * windows.taps;
  const perGroup = outputs / groups;
  const wSums = Array.from({ length: outputs }, (_, o) => rangeSum(weights, o * k, k));
  const zx = x.zeroPoint[0]!;
  const shape = [images, outputs, ...windows.shape];
  const data = new Float64Array(sizeOf(shape));
  eachPatch(x.tensor, windows, groups, zx, (patch, image, group, position) => {
    const xSum = rangeSum(patch, 0, k);
    for (let o = group * perGroup; o < (group + 1) * perGroup; o++)
      data[(image * outputs + o) * windows.positions + position] = corrected(
        dot(patch, 0, weights, o * k, k),
        xSum,
        wSums[o]!,
        k,
        zx,
        at(w.zeroPoint, o),
      );
  });
  return { shape, data, channels: outputs, inner: windows.positions };
}

function productSums(node: Node, x: Codes, w: Codes): Sums {
  if (w.granularity === "axis" && w.axis !== 0) fail(node, "the scales of weights lie along axis 0");
  if (x.granularity === "axis") fail(node, "the input has one scale, or one a row");
  const { shape, m, n, k, a, b } = productOf(node, x.tensor, w.tensor);
  const data = new Float64Array(sizeOf(shape));
  const wSums = Array.from({ length: n }, (_, j) => rangeSum(b, j * k, k));
  for (let i = 0; i < m; i++) {
    const xSum = rangeSum(a, i * k, k);
    for (let j = 0; j < n; j++) {
      const raw = dot(a, i * k, b, j * k, k);
      data[i * n + j] = corrected(raw, xSum, wSums[j]!, k, at(x.zeroPoint, i), at(w.zeroPoint, j));
    }
  }
  return { shape, data, channels: n, inner: 1 };
}

function int32(node: Node, sum: number): number {
  return Math.abs(sum) < 2 ** 31 ? sum : fail(node, `a sum of ${sum} does not fit int32`);
}

/** clamp(rne(f32(sum + bias) · m) + zp), m = f32(f32(sx·sw) / sy), the zero point after rounding; as i32 the sums. */
export function requantize(
  node: Node,
  sums: Sums,
  x: Codes,
  w: Codes,
  bias: ArrayLike<number>,
  y: Output,
): Tensor {
  if (x.granularity === "row") fail(node, "the input of a static region has one scale");
  const codes = tensor(y.dtype, sums.shape, []);
  const multipliers = Float32Array.from({ length: sums.channels }, (_, c) =>
    fround(fround(x.scale[0]! * at(w.scale, c)) / y.scale),
  );
  sums.data.forEach((sum, i) => {
    const c = Math.floor(i / sums.inner) % sums.channels;
    const total = int32(node, sum + (bias.length > 0 ? at(bias, c) : 0));
    if (y.dtype === "i32" && multipliers[c] !== 1) fail(node, "int32 codes have the scale of the sums");
    codes.data[i] =
      y.dtype === "i32"
        ? total
        : clamp(rne(fround(fround(total) * multipliers[c]!)) + y.zeroPoint, y.lo, y.hi);
  });
  return codes;
}

/** f32(sum)·f32(sx[r]·sw[c]) + b[c], then the real bounds; each step rounded. */
export function realize(
  node: Node,
  sums: Sums,
  x: Codes,
  w: Codes,
  bias: ArrayLike<number>,
  bounds: { lo: number; hi: number },
): Tensor {
  const y = tensor("f32", sums.shape, []);
  sums.data.forEach((sum, i) => {
    const c = Math.floor(i / sums.inner) % sums.channels;
    const r = Math.floor(i / (sums.inner * sums.channels));
    const product = fround(fround(int32(node, sum)) * fround(at(x.scale, r) * at(w.scale, c)));
    y.data[i] = clamp(bias.length > 0 ? fround(product + at(bias, c)) : product, bounds.lo, bounds.hi);
  });
  return y;
}

/** Σ (x − zx) over each window or reduced part, and how many elements it stands for. */
function partialSums(node: Node, x: Codes): { shape: number[]; sums: Float64Array; counts: Int32Array } {
  const zx = x.zeroPoint[0]!;
  const from = x.tensor;
  if (node.op === "ReduceMean") {
    const axes = reducedAxes(node, [from]) ?? fail(node, "it reduces nothing");
    const kept = from.shape.map((size, d) => (axes.includes(d) ? 1 : size));
    const folded = offsets(
      from.shape.map((size, d) => (axes.includes(d) ? size : 1)),
      stridesOf(from.shape),
    );
    const sums = Float64Array.from(offsets(kept, stridesOf(from.shape)), (base) =>
      folded.reduce((sum, offset) => sum + from.data[base + offset]! - zx, 0),
    );
    const keep = numberAttribute(node, "keepdims", 1) !== 0;
    const shape = keep ? kept : kept.filter((_, d) => !axes.includes(d));
    return { shape, sums, counts: new Int32Array(sums.length).fill(folded.length) };
  }
  const [images = 0, channels = 0, ...spatial] = from.shape;
  const windows = windowsOf(node, spatial, poolKernel(node, spatial));
  const includePad = numberAttribute(node, "count_include_pad", 0) !== 0;
  const pixels = sizeOf(spatial);
  const shape = [images, channels, ...windows.shape];
  const [sums, counts] = [new Float64Array(sizeOf(shape)), new Int32Array(sizeOf(shape))];
  for (let i = 0; i < sums.length; i++) {
    const [plane, position] = [Math.floor(i / windows.positions), i % windows.positions];
    for (let tap = 0; tap < windows.taps; tap++) {
      const index = windows.table[position * windows.taps + tap]!;
      if (index >= 0) sums[i]! += from.data[plane * pixels + index]! - zx;
      if (index >= 0 || (index === PADDING && includePad)) counts[i]!++;
    }
  }
  return { shape, sums, counts };
}

/** clamp(rne(f32(sum) · m) + zp), m = f32(f32(sx / count) / sy). */
export function average(node: Node, x: Codes, y: Output): Tensor {
  const { shape, sums, counts } = partialSums(node, x);
  const codes = tensor(y.dtype, shape, []);
  sums.forEach((sum, i) => {
    const m = fround(fround(x.scale[0]! / counts[i]!) / y.scale);
    codes.data[i] = clamp(rne(fround(fround(int32(node, sum)) * m)) + y.zeroPoint, y.lo, y.hi);
  });
  return codes;
}

/** Codes of one scale as codes of another, by way of the real value; equal ones pass untouched. */
export function recode(x: Codes, y: Output): Tensor {
  const [scale, zeroPoint] = [x.scale[0]!, x.zeroPoint[0]!];
  const equal = scale === y.scale && zeroPoint === y.zeroPoint && x.tensor.dtype === y.dtype;
  const code = (q: number) =>
    equal ? q : rne(fround(dequantizeValue(q, scale, zeroPoint) / y.scale)) + y.zeroPoint;
  return tensor(
    y.dtype,
    x.tensor.shape,
    Int32Array.from(x.tensor.data, (q) => clamp(code(q), y.lo, y.hi)),
  );
}
