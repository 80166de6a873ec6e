// Constants that came as codes: what they mean, and the codes the kernels take instead.

import { sizeOf, type Tensor, tensor } from "../../graph/tensor";
import { rne } from "../../ops/codes";
import type { NamedCodes } from "../../rewrite/graph-writer";

const { abs, fround, max, min } = Math;

/** x = (q − z) · s with one pair in all, one an index of `axis`, or one for every `blockSize` indices of it. */
export interface CodedConstant {
  readonly names: NamedCodes;
  readonly codes: Tensor;
  readonly scale: Tensor;
  readonly zeroPoint: Tensor | undefined;
  /** Counted from the front. */
  readonly axis: number;
  /** 0 where there are no blocks. */
  readonly blockSize: number;
}

/** Whether there is a scale and a zero point for every code. */
export function isComplete({ codes, scale, zeroPoint, axis, blockSize }: CodedConstant): boolean {
  const count = scale.data.length;
  if (scale.dtype !== "f32" || (zeroPoint && zeroPoint.data.length !== count)) return false;
  if (blockSize === 0) return count === 1 || count === codes.shape[axis];
  const blocks = codes.shape.map((dim, i) => (i === axis ? Math.ceil(dim / blockSize) : dim));
  return sizeOf(blocks) === count;
}

/** For the index of a code, that of its scale and zero point. */
function parameterIndex({ codes, scale, axis, blockSize }: CodedConstant): (i: number) => number {
  if (scale.data.length === 1) return () => 0;
  const extent = codes.shape[axis]!;
  const inner = sizeOf(codes.shape.slice(axis + 1));
  const along = (i: number) => Math.floor(i / inner) % extent;
  if (blockSize === 0) return along;
  const blocks = Math.ceil(extent / blockSize);
  return (i) =>
    (Math.floor(i / (inner * extent)) * blocks + Math.floor(along(i) / blockSize)) * inner + (i % inner);
}

/** What the codes mean. */
export function realsOf(constant: CodedConstant): Tensor {
  const { codes, scale, zeroPoint } = constant;
  const at = parameterIndex(constant);
  const values = Float32Array.from(
    codes.data,
    (q, i) => (q - (zeroPoint?.data[at(i)] ?? 0)) * scale.data[at(i)]!,
  );
  return tensor("f32", codes.shape, values);
}

/** The codes of a float constant. */
export function codesOf(real: Tensor, dtype: "u8" | "i8", parameters: Omit<CodedConstant, "codes">): Tensor {
  const { scale, zeroPoint } = parameters;
  const at = parameterIndex({ ...parameters, codes: real });
  const [lo, hi] = dtype === "u8" ? [0, 255] : [-128, 127];
  const codes = Int32Array.from(real.data, (x, i) => {
    const q = rne(fround(x / scale.data[at(i)]!)) + (zeroPoint?.data[at(i)] ?? 0);
    return min(hi, max(lo, q));
  });
  return tensor(dtype, real.shape, codes);
}

/** Weights as the kernels take them: i8 codes with one scale, or one an output. */
export interface KernelCodes {
  readonly codes: Tensor;
  /** What is left of the zero points, as many as scales; undefined where nothing is. */
  readonly rest: Int32Array | undefined;
}

/** Weights whose codes are moved by their zero points, or as near to that as all of one scale stay in i8. */
export function kernelCodes(constant: CodedConstant): KernelCodes | undefined {
  const { codes, scale, zeroPoint, blockSize } = constant;
  const isPerOutput = scale.data.length === 1 || (blockSize === 0 && constant.axis === 0);
  if (!isPerOutput || codes.dtype === "i32" || !scale.data.every((s) => s > 0 && s < Infinity))
    return undefined;
  const zeros = Int32Array.from(scale.data, (_, c) => zeroPoint?.data[c] ?? 0);
  if (codes.dtype === "i8" && zeros.every((z) => z === 0)) return { codes, rest: undefined };
  const at = parameterIndex(constant);
  const moves = movesInto8Bits(codes.data, at, zeros);
  const moved = Int32Array.from(codes.data, (q, i) => q - moves[at(i)]!);
  const rest = zeros.map((z, c) => z - moves[c]!);
  return { codes: tensor("i8", codes.shape, moved), rest: rest.some((z) => z !== 0) ? rest : undefined };
}

/** The whole numbers nearest to zero points that codes of 8 bits stay in −128..127 without. */
function movesInto8Bits(data: ArrayLike<number>, at: (i: number) => number, zeros: Int32Array): Int32Array {
  const lowest = zeros.map(() => -(2 ** 31));
  const highest = zeros.map(() => 2 ** 31 - 1);
  for (let i = 0; i < data.length; i++) {
    const c = at(i);
    lowest[c] = max(lowest[c]!, data[i]! - 127);
    highest[c] = min(highest[c]!, data[i]! + 128);
  }
  return zeros.map((z, c) => min(highest[c]!, max(lowest[c]!, z)));
}

/** Largest magnitude of every output's sum Σ (x − zx)·w over codes x of 8 bits. */
export function largestSums({ shape: [outputs = 0, ...rest], data }: Tensor): Float64Array {
  const inner = sizeOf(rest);
  return Float64Array.from({ length: outputs }, (_, c) => {
    let sum = 0;
    for (let i = c * inner; i < (c + 1) * inner; i++) sum += 255 * abs(data[i]!);
    return sum;
  });
}

/** Largest number of int32. */
export const I32_LIMIT = 2 ** 31 - 1;

/** Whether sums stay in int32 with a bias added. What wraps on the way wraps back. */
export const fitSums = (largest: Float64Array, bias?: ArrayLike<number>): boolean =>
  largest.every((sum, c) => sum + abs(bias?.[c] ?? 0) <= I32_LIMIT);

/** Whether a bias is in the units of a layer's sums, up to how its scales were rounded. */
export function isInSumScales({ codes, scale, zeroPoint }: CodedConstant, sums: Float32Array): boolean {
  const isNear = (s: number, c: number) => abs(scale.data[scale.data.length === 1 ? 0 : c]! - s) <= 1e-6 * s;
  const isPlain = codes.dtype === "i32" && (zeroPoint?.data.every((z) => z === 0) ?? true);
  return isPlain && codes.data.length === sums.length && sums.every(isNear);
}
