// A matrix product with constant weights, shared by Linear and pointwise Conv: packs the weights once and picks
// the kernel for one row or many.

import { gemmScratchBytes, packedBytes } from "../../assembly/f32/sizes";
import {
  BESIDE_COLUMNS,
  gemmInt8ScratchBytes,
  offsetInt8Bytes,
  packedInt8Bytes,
} from "../../assembly/int8/sizes";
import type { Node } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import { multiplyDims } from "../graph/symbols";
import { multipliers, perChannelScales, perTensor } from "./codes";
import { dequantizing, type Finish, requantizing, summing } from "./epilogue";
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

/** What a layer reads, whose weights and bias are constants. */
export function layerOperands(unit: Unit, c: Lowering) {
  const [x, w, b = ""] = unit.inputs as [string, string, string?];
  const weights = c.constant(w);
  const bias = b === "" ? undefined : c.constant(b);
  if (!weights || (b !== "" && !bias))
    throw opError(unit.node, "weights and bias must be constants", {
      hint: "Fold what computes them before the export",
    });
  return { x, weights, bias };
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

/** What units that read the same weights in the same way have in common. */
const keyOf = ({ name }: NamedConstant, view: WeightView): string => `${JSON.stringify(view)} ${name}`;

/** y = clamp(x·W + b), f32. */
export function lowerDense(c: Lowering, dense: Dense, bias: Content | undefined): void {
  const { unit, x, ldx, y, ldy, rows, weights, view } = dense;
  const { lo = -Infinity, hi = Infinity } = unit.clamp ?? {};
  const [n, k] = [view.n, depthOf(view)];
  const packed = c.once(keyOf(weights, view), () => packWeights(c, c.stage(weights), view));
  const b = bias ? c.data(bias) : NONE;
  const macs = multiplyDims(rows, n * k);
  if (rows === 1) return c.emit("gemv", [y, x, packed, b, n, k, lo, hi], Math.ceil(n / 8), macs);
  const scratch = c.scratch((most) => gemmScratchBytes(most(rows), k));
  c.emit("gemm", [y, ldy, x, ldx, packed, b, scratch, n, k, lo, hi], rows, macs);
}

/** Codes times codes: requantized where the unit has an output scale, dequantized where its result is float. */
export function lowerDenseInt8(c: Lowering, dense: Dense, bias: Content | undefined): void {
  const { node, integer } = dense.unit;
  const { inputs, output } = integer!;
  const [xq, , bq] = inputs;
  const { n } = dense.view;
  const wq = weightCodes(node, inputs[1], n);
  checkBias(node, bias, bq, output);
  if (!output) {
    const range = xq?.dynamic ? xq : perTensor(xq, node);
    const finish = dequantizing(c, dense.unit, range, wq, n, realBias(bias, bq, n));
    return multiply(c, dense, undefined, 1, finish);
  }
  const own = perTensor(xq, node);
  const z = -own.zeroPoint[0]!;
  if (output.dtype !== "i32") {
    const finish = requantizing(c, dense.unit, [own, wq, perTensor(output, node)], n);
    return multiply(c, dense, bias, z, finish);
  }
  checkSums(dense.unit, own, wq, output, n);
  multiply(c, dense, bias, z, summing(c));
}

/**
 * The kernels take symmetric int8 weights: i8 codes whose zero point, 0 in the file, is 128 as codes are held; one scale,
 * or one for each of `n` output channels.
 */
export function weightCodes(node: Node, q: Quantization | undefined, n: number): Quantization {
  if (q?.dtype !== "i8" || q.groups || !q.zeroPoint.every((z) => z === 128))
    throw opError(node, "weights must be symmetric", {
      expected: "i8 codes with zero point 0",
      got: q
        ? `${q.groups ? "groups of " : ""}${q.dtype} codes with zero points ${[...new Set(q.zeroPoint)].slice(0, 3).join(", ")} as held in memory`
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

/** A bias in real numbers, dequantized where it came as int32 codes. */
export function realBias(
  bias: Content | undefined,
  q: Quantization | undefined,
  n: number,
): Content | undefined {
  if (!bias || !q) return bias;
  const scale = perChannelScales(q, n);
  return Float32Array.from(elementsOf(bias), (code, i) => code * scale[i]!);
}

/** y = Σ (x − zx)·w + bias, int32. */
export const lowerDenseSums = (
  c: Lowering,
  dense: Dense,
  xq: Quantization,
  bias: Content | undefined,
): void => multiply(c, dense, bias, -xq.zeroPoint[0]!, summing(c));

/** A product of codes, its weights packed for one row (four panels beside each other) or for any number. */
function multiply(
  c: Lowering,
  { unit, x, ldx, y, ldy, rows, weights, view }: Dense,
  bias: Content | undefined,
  z: number,
  { scale, addend, range, epilogue }: Finish,
): void {
  const [n, k] = [view.n, depthOf(view)];
  const isVector = c.isOne(rows) && !unit.sum;
  const pack = () => {
    const b = bias ? c.stage(bias) : NONE;
    const made = packWeightsInt8(c, c.stage(weights), view, b, z, isVector ? BESIDE_COLUMNS : 8);
    if (isVector) c.load("packRowWeightsInt8", [made.packed, n, k]);
    return made;
  };
  const { packed, offset } = bias ? pack() : c.once(`${keyOf(weights, view)} ${z} ${isVector}`, pack);
  const scratch = c.scratch((most) => gemmInt8ScratchBytes(most(rows), k));
  const tail = [packed, offset, scale, addend, ...range, scratch, n, k, epilogue] as const;
  const macs = multiplyDims(rows, n * k);
  if (isVector) c.emit("gemvInt8", [y, x, ...tail], Math.ceil(n / BESIDE_COLUMNS), macs);
  else c.emit("gemmInt8", [y, ldy, x, ldx, ...tail], rows, macs);
}
