// Codes, scales and biases of a layer's master weights, made anew in every step: to the bit what conversion makes of the
// same floats (src/ops/scheme.ts). Weights are seen as [channels][inner].

import { codeMagic, codeShift, roundCode } from "../int8/epilogue";
import { BIAS_LIMIT, SMALLEST_SCALE } from "../int8/sizes";
import { head4 } from "../lanes/lanes";
import { storeBytes, storeWords } from "../lanes/simd";

/** Channels whose weights stay in cache between the search for the largest and the division by its scale. */
const BLOCK: i32 = 16;

/** Bits of |x|, which as integers are in the order of what they stand for, NaN last. */
function sizeBits(x: usize): v128 {
  return v128.and(v128.load(x), i32x4.splat(0x7fffffff));
}

/** The largest |w| of `inner` weights. */
function largestOf(w: usize, inner: i32): f32 {
  let m = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= inner; i += 4) m = i32x4.max_s(m, sizeBits(w + ((<usize>i) << 2)));
  const rest = sizeBits(w + ((<usize>i) << 2));
  if (i < inner) m = i32x4.max_s(m, head4(rest, i32x4.splat(0), inner - i));
  m = i32x4.max_s(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  m = i32x4.max_s(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
  return f32x4.extract_lane(m, 0);
}

/** Scale of a channel; `bias` is its size. xScale 0: its sums are not requantized, so that nothing holds it up. */
function scaleOf(largest: f32, limit: f32, bias: f32, xScale: f32): f32 {
  const scale = largest / limit;
  const isZero = scale < SMALLEST_SCALE;
  if (xScale == 0) return isZero ? 1 : scale;
  const floor = max<f32>(bias / <f32>(BIAS_LIMIT / 2), SMALLEST_SCALE) / xScale;
  if (isZero) return bias != 0 ? max<f32>(floor, SMALLEST_SCALE) : max<f32>(floor, 1);
  return max<f32>(floor, scale);
}

/**
 * scale[c] = max|w[c][·]| / limit. It is 1 where that is less than the smallest normal number. Its lower bound is
 * max(|bias[c]| / 2²⁹, 2⁻¹²⁶) / xScale.
 * Range: channels.
 *
 * scale f32 [channels], w f32 [channels][inner], bias f32 [channels] or 0. xScale 0 is none: no lower bound. A
 * channel of zeros with a bias has that bound as its scale.
 */
export function weightScales(
  scale: usize,
  w: usize,
  bias: usize,
  inner: i32,
  limit: i32,
  xScale: f32,
  begin: i32,
  end: i32,
): void {
  for (let c = begin; c < end; c++) {
    const largest = largestOf(w + ((<usize>(c * inner)) << 2), inner);
    const size = bias ? abs<f32>(load<f32>(bias + ((<usize>c) << 2))) : 0;
    store<f32>(scale + ((<usize>c) << 2), scaleOf(largest, <f32>limit, size, xScale));
  }
}

class Weights {
  /** clamp(rne(w / scale), −limit, limit) as i32; NaN is 0. */
  @inline
  static code4(w: usize, scale: v128, limit: v128): v128 {
    const v = f32x4.div(v128.load(w), scale);
    const real = v128.and(v, f32x4.eq(v, v));
    return roundCode(f32x4.pmin(limit, real), f32x4.neg(limit), codeMagic(), codeShift(0));
  }
}

/** Codes of n weights of one channel; returns how many are not what they were. */
function quantizeRun(codes: usize, w: usize, scale: v128, limit: v128, n: i32): i32 {
  let changed = 0;
  for (let i = 0; i < n; i += 16) {
    const from = w + ((<usize>i) << 2);
    const v = i8x16.narrow_i16x8_s(
      i16x8.narrow_i32x4_s(Weights.code4(from, scale, limit), Weights.code4(from + 16, scale, limit)),
      i16x8.narrow_i32x4_s(Weights.code4(from + 32, scale, limit), Weights.code4(from + 48, scale, limit)),
    );
    const differ = i8x16.bitmask(i8x16.ne(v, v128.load(codes + i)));
    changed += popcnt<i32>(n - i < 16 ? differ & ((1 << (n - i)) - 1) : differ);
    storeBytes(codes + i, v, n - i);
  }
  return changed;
}

/**
 * codes = clamp(rne(w / scale[c]), −limit, limit), changed[c] += how many codes of channel c are not what they were.
 * Range: channels.
 *
 * codes i8 and w f32 [channels][inner], scale f32 and changed i32 [channels]. A true division, half steps to
 * even; NaN is 0.
 */
export function quantizeWeightsAt(
  codes: usize,
  changed: usize,
  w: usize,
  scale: usize,
  inner: i32,
  limit: i32,
  begin: i32,
  end: i32,
): void {
  const bound = f32x4.splat(<f32>limit);
  for (let c = begin; c < end; c++) {
    const word = (<usize>c) << 2;
    const at = <usize>(c * inner);
    const n = quantizeRun(codes + at, w + (at << 2), v128.load32_splat(scale + word), bound, inner);
    store<i32>(changed + word, load<i32>(changed + word) + n);
  }
}

/** weightScales, then quantizeWeightsAt, a few channels at a time. Range: channels. */
export function quantizeWeights(
  codes: usize,
  scale: usize,
  changed: usize,
  w: usize,
  bias: usize,
  inner: i32,
  limit: i32,
  xScale: f32,
  begin: i32,
  end: i32,
): void {
  for (let c = begin; c < end; c += BLOCK) {
    const to = min(end, c + BLOCK);
    weightScales(scale, w, bias, inner, limit, xScale, c, to);
    quantizeWeightsAt(codes, changed, w, scale, inner, limit, c, to);
  }
}

/** s[c] = f32(xScale · wScale[c]), the scales of a layer's sums. Range: channels. */
export function sumScales(s: usize, wScale: usize, xScale: f32, begin: i32, end: i32): void {
  for (let c = begin; c < end; c += 4) {
    const at = (<usize>c) << 2;
    storeWords(s + at, f32x4.mul(f32x4.splat(xScale), v128.load(wScale + at)), end - c);
  }
}

/** m[c] = f32(f32(xScale · wScale[c]) / yScale): what a sum is multiplied with to become a code. Range: channels. */
export function multipliers(m: usize, wScale: usize, xScale: f32, yScale: f32, begin: i32, end: i32): void {
  for (let c = begin; c < end; c += 4) {
    const at = (<usize>c) << 2;
    const s = f32x4.mul(f32x4.splat(xScale), v128.load(wScale + at));
    storeWords(m + at, f32x4.div(s, f32x4.splat(yScale)), end - c);
  }
}

/** codes[c] = clamp(rne(b[c] / f32(xScale · wScale[c])), 1 − 2³⁰, 2³⁰ − 1), i32; NaN is 0. Range: channels. */
export function quantizeBias(codes: usize, b: usize, wScale: usize, xScale: f32, begin: i32, end: i32): void {
  const high = i32x4.splat(BIAS_LIMIT - 1);
  const low = i32x4.splat(1 - BIAS_LIMIT);
  for (let c = begin; c < end; c += 4) {
    const at = (<usize>c) << 2;
    const s = f32x4.mul(f32x4.splat(xScale), v128.load(wScale + at));
    const q = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(v128.load(b + at), s)));
    storeWords(codes + at, i32x4.max_s(low, i32x4.min_s(high, q)), end - c);
  }
}
