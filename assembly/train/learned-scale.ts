// Learned step sizes (Esser et al. 2020, "Learned Step Size Quantization", equation 3): what a change of the scale does to
// the rounded numbers. Inside the range that is the rounding residue, outside it is the last code.

import { head4, sum4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";
import { Bits } from "./bits";
import { Channels } from "./channels";

class Steps {
  /** d y / d scale of y = clamp(rne(v), low, high) · scale, v = x / scale: the residue rne(v) − v, or the bound. */
  @inline
  static slope4(v: v128, low: v128, high: v128): v128 {
    const q = f32x4.pmin(f32x4.pmax(f32x4.nearest(v), low), high);
    return f32x4.sub(q, v128.and(v, Bits.code4(v, low, high)));
  }

  /** dy times the slope of four weights. */
  @inline
  static weights4(dy: usize, w: usize, scale: v128, low: v128, high: v128): v128 {
    return f32x4.mul(v128.load(dy), Steps.slope4(f32x4.div(v128.load(w), scale), low, high));
  }
}

/**
 * ds[c] = factor · Σ dy · { −limit | limit | rne(v) − v }, v = w / scale[c], by whether rne(v) lies below −limit, above
 * limit or between. Range: channels.
 *
 * ds and scale f32 [channels], dy and w f32 [channels][inner]. Lane i mod 4 sums the elements i, i + 4, … of a channel, then
 * (l0 + l2) + (l1 + l3).
 */
export function weightScaleGradient(
  ds: usize,
  dy: usize,
  w: usize,
  scale: usize,
  inner: i32,
  limit: i32,
  factor: f32,
  begin: i32,
  end: i32,
): void {
  const high = f32x4.splat(<f32>limit);
  const low = f32x4.neg(high);
  for (let c = begin; c < end; c++) {
    const s = v128.load32_splat(scale + ((<usize>c) << 2));
    const run = (<usize>(c * inner)) << 2;
    let sum = f32x4.splat(0);
    for (let i = 0; i < inner; i += 4) {
      const at = run + ((<usize>i) << 2);
      const v = Steps.weights4(dy + at, w + at, s, low, high);
      sum = f32x4.add(sum, head4(v, f32x4.splat(0), inner - i));
    }
    store<f32>(ds + ((<usize>c) << 2), factor * sum4(sum));
  }
}

/**
 * dw = |rne(w / scale[c])| ≤ limit ? dy : 0: the gradient of weights, some of which a given scale clips. Range: channels.
 *
 * Shapes as weightScaleGradient; dw may be dy.
 */
export function weightGradient(
  dw: usize,
  dy: usize,
  w: usize,
  scale: usize,
  inner: i32,
  limit: i32,
  begin: i32,
  end: i32,
): void {
  const high = f32x4.splat(<f32>limit);
  const low = f32x4.neg(high);
  for (let c = begin; c < end; c++) {
    const s = v128.load32_splat(scale + ((<usize>c) << 2));
    const run = (<usize>(c * inner)) << 2;
    for (let i = 0; i < inner; i += 4) {
      const at = run + ((<usize>i) << 2);
      const inside = Bits.code4(f32x4.div(v128.load(w + at), s), low, high);
      storeWords(dw + at, v128.and(v128.load(dy + at), inside), inner - i);
    }
  }
}

/**
 * ds[n] = factor · Σ dy[n] · { −zero | 255 − zero | rne(v) − v }, v = min(max(f32(sums[n]) · m[c], lo / scale), hi / scale),
 * by whether rne(v) + zero lies below 0, above 255 or between. Range: samples.
 *
 * ds f32 [samples], their sum is the scale's gradient; dy f32, not masked, and sums i32 [samples][pixels][channels];
 * m f32 [channels] as in requantizeMasked; lo and hi are the activation's bounds. Sums are in lanes as above.
 */
export function sumScaleGradient(
  ds: usize,
  dy: usize,
  sums: usize,
  m: usize,
  pixels: i32,
  channels: i32,
  scale: f32,
  zero: i32,
  lo: f32,
  hi: f32,
  factor: f32,
  begin: i32,
  end: i32,
): void {
  const count = pixels * channels;
  const low = f32x4.convert_i32x4_s(i32x4.splat(-zero));
  const high = f32x4.convert_i32x4_s(i32x4.splat(255 - zero));
  const above = f32x4.splat(lo / scale);
  const below = f32x4.splat(hi / scale);
  for (let sample = begin; sample < end; sample++) {
    const from = (<usize>(sample * count)) << 2;
    let sum = f32x4.splat(0);
    let c = 0;
    for (let i = 0; i < count; i += 4) {
      const at = from + ((<usize>i) << 2);
      const acc = f32x4.convert_i32x4_s(v128.load(sums + at));
      const product = f32x4.mul(acc, Channels.load4(m, c, channels));
      const v = f32x4.pmin(f32x4.pmax(product, above), below);
      const part = f32x4.mul(v128.load(dy + at), Steps.slope4(v, low, high));
      sum = f32x4.add(sum, head4(part, f32x4.splat(0), count - i));
      c = Channels.after4(c, channels);
    }
    store<f32>(ds + ((<usize>sample) << 2), factor * sum4(sum));
  }
}

/**
 * ds[n] = factor · Σ dy[n] · { −zero | 255 − zero | rne(v) − v }, v = x[n] / scale, by whether rne(v) + zero lies below 0,
 * above 255 or between: of numbers that become codes otherwise than from sums. Range: samples.
 *
 * ds f32 [samples], their sum is the scale's gradient; dy, not masked, and x f32 [samples][count]. Sums are in lanes as above.
 */
export function codeScaleGradient(
  ds: usize,
  dy: usize,
  x: usize,
  count: i32,
  scale: f32,
  zero: i32,
  factor: f32,
  begin: i32,
  end: i32,
): void {
  const s = f32x4.splat(scale);
  const low = f32x4.convert_i32x4_s(i32x4.splat(-zero));
  const high = f32x4.convert_i32x4_s(i32x4.splat(255 - zero));
  for (let sample = begin; sample < end; sample++) {
    const from = (<usize>(sample * count)) << 2;
    let sum = f32x4.splat(0);
    for (let i = 0; i < count; i += 4) {
      const at = from + ((<usize>i) << 2);
      const part = Steps.weights4(dy + at, x + at, s, low, high);
      sum = f32x4.add(sum, head4(part, f32x4.splat(0), count - i));
    }
    store<f32>(ds + ((<usize>sample) << 2), factor * sum4(sum));
  }
}
