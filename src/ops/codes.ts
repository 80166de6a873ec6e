// Arithmetic on scales and codes that the integer ops share, rounded to f32 step by step as the kernels round.

import type { Node } from "../graph/graph";
import { opError, type Quantization } from "./op";

/** Rounds half to even, as f32x4.nearest does. */
export function rne(x: number): number {
  const floor = Math.floor(x);
  const half = x - floor;
  if (half !== 0.5) return half < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Most products one accumulator may sum: 32 896 · 255 · 128 < 2^30. */
export const MAX_REDUCTION = 32_896;

/** What a code of this type is larger by as it is held: i8 codes are kept as u8, with their top bit flipped. */
export const heldAbove = (dtype: string): number => (dtype === "i8" ? 128 : 0);

/** Smallest and largest code of an activation, as held in memory. */
export const CODES = { min: 0, max: 255 } as const;

/** Code of a real number, clamped: clamp(rne(x / s) + zp). Infinities give the end of the range. */
export function codeOf(x: number, { scale, zeroPoint }: Quantization): number {
  const q = rne(Math.fround(Math.fround(x) / scale[0]!)) + zeroPoint[0]!;
  return Math.min(CODES.max, Math.max(CODES.min, q));
}

/** What a code stands for: f32((q − zp) · s). */
export const realOf = (q: number, { scale, zeroPoint }: Quantization): number =>
  Math.fround((q - zeroPoint[0]!) * scale[0]!);

const LAYER_HINT =
  "Only a layer of constant weights reads computed scales or makes int32 sums: quantize weights symmetric";

/** Parameters of an activation's codes: constants, one of each. */
export function perTensor(q: Quantization | undefined, node: Node): Quantization {
  if (q && q.scale.length === 1 && q.dtype !== "i32" && !q.groups) return q;
  throw opError(node, "activations are u8 or i8 codes with one scale a tensor", {
    got: q
      ? `${q.dtype} codes with ${q.dynamic ? "computed scales" : `${q.scale.length} scales`}`
      : "no codes",
    ...(q && q.scale.length < 2 ? { hint: LAYER_HINT } : {}),
  });
}

/** Bounds of the output's codes under a fused activation. */
export const codeBounds = (clamp: { lo: number; hi: number } | undefined, output: Quantization) =>
  clamp ? { lo: codeOf(clamp.lo, output), hi: codeOf(clamp.hi, output) } : { lo: CODES.min, hi: CODES.max };

/** m[c] = f32(f32(sx · sw[c]) / sy): what an accumulator is multiplied with to become a code. */
export const multipliers = (
  x: Quantization,
  weights: Quantization,
  y: Quantization,
  channels: number,
): Float32Array => sumScales(x.scale[0]!, weights.scale, channels).map((scale) => scale / y.scale[0]!);

/** sw[c] for every channel: one for all, or one a channel. */
export const perChannelScales = ({ scale }: Pick<Quantization, "scale">, channels: number): Float32Array =>
  scale.length === 1 ? new Float32Array(channels).fill(scale[0]!) : scale.slice(0, channels);

/** f32(sx · sw[c]), the scales of a layer's sums and of the codes of its bias. */
export const sumScales = (x: number, scale: Float32Array, channels = scale.length): Float32Array =>
  perChannelScales({ scale }, channels).map((weight) => x * weight);

/** Whether two tensors hold the same number under the same code. */
export const sameCodes = (a: Quantization, b: Quantization): boolean =>
  a.scale[0] === b.scale[0] && a.zeroPoint[0] === b.zeroPoint[0];
