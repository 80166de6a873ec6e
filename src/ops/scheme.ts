// How scale and zero point are chosen and codes are made: weights, biases and activations, each by one function that
// import, conversion and training share. Every step is rounded to f32 as the kernels round it, so codes are the same on every
// engine.

import { BIAS_LIMIT, SMALLEST_SCALE } from "../../assembly/int8/sizes";
import { OctetteError } from "../errors";
import { rne } from "./codes";

const { fround, abs, max, min } = Math;

/** Weight codes are −127..127; −128 is left out so that the range is symmetric and no s8·s8 pair wraps. */
export const WEIGHT_LIMIT = 127;
/** Largest weight code of so many bits. */
export const limitOf = (bits: number): number => 2 ** (bits - 1) - 1;
/** Largest activation code. */
export const ACTIVATION_LIMIT = 255;

/** Parameters of u8 codes: x = (q − zeroPoint) · scale. */
export interface Affine {
  readonly scale: number;
  readonly zeroPoint: number;
}

/** What a range that holds nothing but zero gets, as in ONNX Runtime. */
const DEGENERATE: Affine = { scale: 1, zeroPoint: 0 };

/**
 * Affine u8 parameters for numbers in [lo, hi]: s = (max(0, hi) − min(0, lo)) / 255, zp = rne(−lo / s), clamped. Zero
 * always has a code of its own. Source: ONNX DynamicQuantizeLinear; all steps in f32.
 */
export function activationParameters(lo: number, hi: number): Affine {
  const low = min(0, fround(lo));
  const high = max(0, fround(hi));
  const scale = fround(fround(high - low) / ACTIVATION_LIMIT);
  if (!Number.isFinite(scale))
    throw new OctetteError("a range must be finite", {
      code: "argument",
      where: "range",
      got: `[${lo}, ${hi}]`,
    });
  if (scale < SMALLEST_SCALE) return DEGENERATE;
  return { scale, zeroPoint: min(ACTIVATION_LIMIT, max(0, rne(fround(-low / scale)))) };
}

/** max |w| of every channel of weights [channels][…]. */
export function channelMaxima(w: Float32Array, channels: number): Float32Array {
  const inner = w.length / channels;
  return Float32Array.from({ length: channels }, (_, c) => {
    let largest = 0;
    for (let i = c * inner; i < (c + 1) * inner; i++) largest = max(largest, abs(w[i]!));
    return largest;
  });
}

export interface WeightScaleOptions {
  /** Largest code: 127, or 7 where weights have four bits. */
  readonly limit?: number;
  /** One scale for all channels, from the largest of them. */
  readonly perTensor?: boolean;
  /** Scale of the layer's input codes, where the bias becomes int32 codes of scale sx·sw. */
  readonly inputScale?: number;
  readonly bias?: Float32Array;
}

/**
 * Symmetric scales of weights, one a channel: s = max|w| / limit. Raised where needed so that the bias code |b| / (sx·s)
 * is at most half of `BIAS_LIMIT` (the other half is left to bias correction) and sx·s is a normal number. A channel
 * of zeros has scale 1, or the smallest that its bias allows: its codes are 0 at any scale, its bias is not.
 */
export function weightScales(
  w: Float32Array,
  channels: number,
  options: WeightScaleOptions = {},
): Float32Array {
  const { limit = WEIGHT_LIMIT, perTensor = false, inputScale, bias } = options;
  const maxima = channelMaxima(w, channels);
  if (perTensor) maxima.fill(maxima.reduce((a, b) => max(a, b), 0));
  const scales = maxima.map((largest) => fround(largest / limit));
  for (let c = 0; c < scales.length; c++) {
    const isZero = scales[c]! < SMALLEST_SCALE;
    if (isZero) scales[c] = 1;
    if (inputScale === undefined) continue;
    const floor = fround(max(abs(bias?.[c] ?? 0) / (BIAS_LIMIT / 2), SMALLEST_SCALE) / inputScale);
    if (isZero && bias && bias[c] !== 0) scales[c] = max(floor, SMALLEST_SCALE);
    else scales[c] = max(floor, scales[c]!);
  }
  if (perTensor) scales.fill(scales.reduce((a, b) => max(a, b), 0));
  return scales;
}

/**
 * q = clamp(rne(w / s[c]), −limit, limit), with a true f32 division, of weights [channels][…]. Conversion makes weight codes by this function, and
 * every training step by a kernel that gives the same bits (assembly/train/weights.ts), so the codes that were trained
 * are the codes that are deployed.
 */
export function quantizeWeights(w: Float32Array, scales: Float32Array, limit = WEIGHT_LIMIT): Int8Array {
  const inner = w.length / scales.length;
  const codes = new Int8Array(w.length);
  scales.forEach((scale, c) => {
    const end = (c + 1) * inner;
    for (let i = c * inner; i < end; i++) codes[i] = max(-limit, min(limit, rne(fround(w[i]! / scale))));
  });
  return codes;
}

/** What the codes stand for: w = q · s[c]. */
export function dequantizeWeights(codes: Int8Array, scales: Float32Array): Float32Array {
  const inner = codes.length / scales.length;
  const w = new Float32Array(codes.length);
  scales.forEach((scale, c) => {
    const end = (c + 1) * inner;
    for (let i = c * inner; i < end; i++) w[i] = codes[i]! * scale;
  });
  return w;
}

/** What bias codes stand for, of one scale or one a channel: b = q · s[c]. */
export const dequantizeBias = (codes: ArrayLike<number>, scales: ArrayLike<number>): Float32Array =>
  Float32Array.from(codes, (code, c) => code * scales[scales.length === 1 ? 0 : c]!);

/**
 * Bias codes, rne(b / s[c]) with the scales of a layer's sums, zero point 0. Clamped below `BIAS_LIMIT`, where no sum can leave
 * int32; to another limit where sums are checked one by one.
 */
export const quantizeBias = (
  bias: ArrayLike<number>,
  scales: Float32Array,
  limit = BIAS_LIMIT - 1,
): Int32Array => Int32Array.from(scales, (s, c) => max(-limit, min(limit, rne(fround(bias[c]! / s)))));
