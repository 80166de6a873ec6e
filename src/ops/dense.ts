// A matrix product with constant weights, shared by Gemm, MatMul and pointwise Conv: packs the weights once and picks
// the kernel for one row or many.

import type { Node } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import { multiplyDims } from "../graph/symbols";
import { codeBounds, multipliers, perTensor, weightScales } from "./codes";
import {
  type Address,
  type Content,
  elementsOf,
  type Lowering,
  type NamedConstant,
  NONE,
  opError,
  type Quantization,
  type Unit,
} from "./op";
import {
  BESIDE_COLUMNS,
  gemmInt8ScratchBytes,
  gemmScratchBytes,
  offsetInt8Bytes,
  packedBytes,
  packedInt8Bytes,
} from "./packing";

/** How weights lie in a constant: element [n][tap][channel] at n·strideN + tap·strideTap + channel·strideC. */
export interface WeightView {
  readonly n: number;
  /** Kernel rows of `taps` each, strideRow apart, where an int8 kernel takes them row by row; one by default. */
  readonly rows?: number;
  readonly strideRow?: number;
  readonly taps: number;
  readonly channels: number;
  readonly strideN: number;
  readonly strideTap: number;
  readonly strideC: number;
}

/** Summed dimension: taps × channels. */
export const depthOf = ({ taps, channels }: WeightView) => taps * channels;

export interface Dense {
  readonly unit: Unit;
  /** Where the rows are read, and how many elements apart. */
  readonly x: Address;
  readonly ldx: number;
  readonly y: Address;
  readonly ldy: number;
  readonly rows: Dim;
  readonly weights: NamedConstant;
  readonly view: WeightView;
}

/** Packs staged f32 weights into column panels. */
export function packWeights(c: Lowering, weights: Address, view: WeightView): Address {
  const packed = c.reserve(packedBytes(view.n, depthOf(view)));
  const { n, taps, channels, strideN, strideTap, strideC } = view;
  c.load("packWeights", [packed, weights, n, taps, channels, strideN, strideTap, strideC]);
  return packed;
}

/** Packs staged int8 weights into panels, so many columns beside each other; offset[n] = bias[n] + z · Σ w[n], with the input's zero point folded in. */
export function packWeightsInt8(
  c: Lowering,
  weights: Address,
  view: WeightView,
  bias: Address | typeof NONE,
  z: number,
  columns = 8,
): { packed: Address; offset: Address } {
  const { n, rows = 1, taps, channels, strideN, strideRow = 0, strideTap, strideC } = view;
  const packed = c.reserve(packedInt8Bytes(n, depthOf(view), rows, columns));
  const offset = c.reserve(offsetInt8Bytes(n));
  const operands = [packed, offset, weights, bias] as const;
  c.load("packWeightsInt8", [
    ...operands,
    z,
    n,
    rows,
    taps,
    channels,
    strideN,
    strideRow,
    strideTap,
    strideC,
    columns / 8,
  ]);
  return { packed, offset };
}

/** What the int8 kernels of a matrix product take, its weights packed: those of one row (by fours of panels), or of any number. */
function productOf(
  c: Lowering,
  { unit, x, ldx, y, ldy, rows, weights, view }: Dense,
  bias: Content | undefined,
  z: number,
) {
  const [n, k] = [view.n, depthOf(view)];
  const isVector = c.maximum(rows) === 1 && !unit.sum;
  const b = bias ? c.stage(bias) : NONE;
  const columns = isVector ? BESIDE_COLUMNS : 8;
  const { packed, offset } = packWeightsInt8(c, c.stage(weights), view, b, z, columns);
  if (isVector) c.load("packRowWeightsInt8", [packed, n, k]);
  return {
    isVector,
    vector: [y, x, packed, offset] as const,
    matrix: [y, ldy, x, ldx, packed, offset] as const,
    depth: [c.scratch(gemmInt8ScratchBytes(c.maximum(rows), k)), n, k] as const,
    fours: Math.ceil(n / BESIDE_COLUMNS),
    macs: multiplyDims(rows, n * k),
  };
}

/** y = clamp(x·W + b), f32. */
export function lowerDense(c: Lowering, dense: Dense, bias: Content | undefined): void {
  const { unit, x, ldx, y, ldy, rows, weights, view } = dense;
  const { lo = -Infinity, hi = Infinity } = unit.clamp ?? {};
  const [n, k] = [view.n, depthOf(view)];
  const packed = packWeights(c, c.stage(weights), view);
  const b = bias ? c.data(bias) : NONE;
  const macs = multiplyDims(rows, n * k);
  if (rows === 1) return c.emit("gemv", [y, x, packed, b, n, k, lo, hi], Math.ceil(n / 8), macs);
  const scratch = c.scratch(gemmScratchBytes(c.maximum(rows), k));
  c.emit("gemm", [y, ldy, x, ldx, packed, b, scratch, n, k, lo, hi], rows, macs);
}

/** Codes times codes: requantized where the unit has an output scale, dequantized where its result is float. */
export function lowerDenseInt8(c: Lowering, dense: Dense, bias: Content | undefined): void {
  const { node, integer } = dense.unit;
  const { inputs, output } = integer!;
  const [xq, , bq] = inputs;
  const wq = weightCodes(node, inputs[1], dense.view.n);
  checkBias(node, bias, bq, output);
  if (output?.dtype === "i32") summed(c, dense, perTensor(xq, node), wq, output, bias);
  else if (output) requantized(c, dense, perTensor(xq, node), wq, perTensor(output, node), bias);
  else dequantized(c, dense, xq?.dynamic ? xq : perTensor(xq, node), wq, realBias(bias, bq, dense.view.n));
}

/**
 * The kernels take symmetric int8 weights: i8 codes whose zero point, 0 in the file, is 128 as codes are held; one scale,
 * or one for each of `n` output channels.
 */
export function weightCodes(node: Node, q: Quantization | undefined, n: number): Quantization {
  if (q?.dtype !== "i8" || !q.zeroPoint.every((z) => z === 128))
    throw opError(node, "weights must be symmetric", {
      expected: "i8 codes with zero point 0",
      got: q
        ? `${q.dtype} codes with zero points ${[...new Set(q.zeroPoint)].slice(0, 3).join(", ")} as held in memory`
        : "no codes",
    });
  if (q.dynamic || q.scale.length === 1 || q.scale.length === n) return q;
  throw opError(node, "weights have one scale, or one an output channel", {
    expected: `1 or ${n} scales`,
    got: `${q.scale.length}`,
  });
}

/** A bias is added as int32 codes before codes are made of the sum; to a float result it may be float. */
export function checkBias(
  node: Node,
  bias: Content | undefined,
  q: Quantization | undefined,
  output: Quantization | undefined,
): void {
  const got = q?.dtype ?? "f32";
  if (!bias || got === "i32" || (got === "f32" && !output)) return;
  throw opError(node, "its bias does not fit", { expected: `i32 codes${output ? "" : " or f32"}`, got });
}

/** Codes of int32 are sums as they are. */
export function checkSums(
  { node, clamp }: Unit,
  xq: Quantization,
  wq: Quantization,
  yq: Quantization,
  n: number,
): void {
  const isOwn = yq.scale.length === 1 && multipliers(xq, wq, yq, n).every((m) => m === 1);
  if (isOwn && yq.zeroPoint[0] === 0 && !clamp) return;
  throw opError(node, "int32 codes are the sums of its products", {
    expected: "their scale, zero point 0 and no activation",
    got: `scale ${yq.scale[0]}, zero point ${yq.zeroPoint[0]}`,
  });
}

/** A bias in real numbers, dequantized where it came as int32 codes; zeros where there is none. */
export function realBias(bias: Content | undefined, q: Quantization | undefined, n: number): Content {
  if (!bias) return new Float32Array(n);
  if (!q) return bias;
  const scale = weightScales(q, n);
  return Float32Array.from(elementsOf(bias), (code, i) => code * scale[i]!);
}

function requantized(
  c: Lowering,
  dense: Dense,
  xq: Quantization,
  wq: Quantization,
  yq: Quantization,
  bias: Content | undefined,
): void {
  const { unit, rows, view } = dense;
  const { isVector, vector, matrix, depth, fours, macs } = productOf(c, dense, bias, -xq.zeroPoint[0]!);
  const scale = c.data(multipliers(xq, wq, yq, view.n));
  const { lo, hi } = codeBounds(unit.clamp, yq);
  const tail = [...depth, yq.zeroPoint[0]!, lo, hi] as const;
  const addend = addendOf(c, unit);
  if (addend) c.emit("gemmInt8Add", [...matrix, scale, ...addend, ...tail], rows, macs);
  else if (isVector) c.emit("gemvInt8", [...vector, scale, ...tail], fours, macs);
  else c.emit("gemmInt8", [...matrix, scale, ...tail], rows, macs);
}

/** The sums themselves, which int32 codes of their own scale are. */
function summed(
  c: Lowering,
  dense: Dense,
  xq: Quantization,
  wq: Quantization,
  yq: Quantization,
  bias: Content | undefined,
): void {
  checkSums(dense.unit, xq, wq, yq, dense.view.n);
  lowerDenseSums(c, dense, xq, bias);
}

/** y = Σ (x − zx)·w + bias, int32. */
export function lowerDenseSums(c: Lowering, dense: Dense, xq: Quantization, bias: Content | undefined): void {
  const { rows } = dense;
  const { isVector, vector, matrix, depth, fours, macs } = productOf(c, dense, bias, -xq.zeroPoint[0]!);
  if (isVector) c.emit("gemvInt8Sums", [...vector, ...depth], fours, macs);
  else c.emit("gemmInt8Sums", [...matrix, ...depth], rows, macs);
}

function dequantized(c: Lowering, dense: Dense, xq: Quantization, wq: Quantization, bias: Content): void {
  const { unit, rows, view } = dense;
  const { lo = -Infinity, hi = Infinity } = unit.clamp ?? {};
  const { isVector, vector, matrix, depth, fours, macs } = productOf(c, dense, undefined, 1);
  const parameters = [scalesOf(c, wq, view.n), c.data(bias), ...parametersOf(c, xq)] as const;
  const tail = [...depth, lo, hi] as const;
  if (isVector) return c.emit("gemvInt8Dynamic", [...vector, ...parameters, ...tail], fours, macs);
  const rowStride = isPerRow(c, xq) ? 1 : 0;
  c.emit("gemmInt8Dynamic", [...matrix, ...parameters, rowStride, ...tail], rows, macs);
}

/** Where the scales of weights are, one an output channel. */
export const scalesOf = (c: Lowering, q: Quantization, n: number): Address =>
  q.dynamic ? c.input(q.dynamic.scale) : c.data(weightScales(q, n));

/** Where the codes are that a unit adds to its own, and by what, as gemmInt8Add takes it. */
export function addendOf(c: Lowering, { inputs, integer, sum }: Unit) {
  if (!sum) return undefined;
  const { lo, hi } = codeBounds(sum.clamp, sum.output);
  const [own] = integer!.output!.scale;
  const by = [integer!.inputs[3]!, sum.output].flatMap((q) => [q.scale[0]!, q.zeroPoint[0]!]);
  return [c.input(inputs[3]!), c.data(Float32Array.of(own!, ...by, lo, hi))] as const;
}

/** Where scale and zero point of codes are, which may be found at run time. */
export const parametersOf = (c: Lowering, { dynamic, scale, zeroPoint }: Quantization) =>
  dynamic
    ? ([c.input(dynamic.scale), c.input(dynamic.zeroPoint)] as const)
    : ([c.data(scale), c.data(zeroPoint)] as const);

/** Whether every row of codes has a scale and a zero point of its own. */
export const isPerRow = (c: Lowering, { dynamic }: Quantization): boolean =>
  dynamic !== undefined && c.type(dynamic.scale).shape.length > 0;
