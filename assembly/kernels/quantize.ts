// f32 to 8-bit codes and back, one scale for all. Codes are u8, or i8 where the bounds are.

import { dequantize4, quantize16 } from "../lanes";
import { storeBytes, storeWords } from "../simd";

/**
 * y = clamp(rne(x / scale) + zero, qmin, qmax), elements begin to end; y are bytes.
 *
 * A true f32 division, half steps to even. ±∞ saturate; NaN counts as 0 before the zero point is added.
 */
export function quantize(
  y: usize,
  x: usize,
  scale: f32,
  zero: i32,
  qmin: i32,
  qmax: i32,
  begin: i32,
  end: i32,
): void {
  const s = f32x4.splat(scale);
  const z = i32x4.splat(zero);
  const lo = i32x4.splat(qmin - zero);
  const hi = i32x4.splat(qmax - zero);
  for (let i = begin; i < end; i += 16)
    storeBytes(y + i, quantize16(x + ((<usize>i) << 2), s, lo, hi, z), end - i);
}

/**
 * y[n][p][c] = quantize(x[n][c][p]): an image to channels-last codes in one pass. Range: n.
 *
 * x f32 [n][channels][spatial], y bytes [n][spatial][channels].
 */
export function quantizeChannelsLast(
  y: usize,
  x: usize,
  channels: i32,
  spatial: i32,
  scale: f32,
  zero: i32,
  qmin: i32,
  qmax: i32,
  begin: i32,
  end: i32,
): void {
  const s = f32x4.splat(scale);
  const z = i32x4.splat(zero);
  const lo = i32x4.splat(qmin - zero);
  const hi = i32x4.splat(qmax - zero);
  for (let n = begin; n < end; n++) {
    for (let c = 0; c < channels; c++) {
      const from = x + ((<usize>((n * channels + c) * spatial)) << 2);
      let to = y + <usize>(n * spatial * channels + c);
      for (let p = 0; p < spatial; p += 16) {
        let v = quantize16(from + ((<usize>p) << 2), s, lo, hi, z);
        for (let i = min(16, spatial - p); i > 0; i--, to += channels) {
          v128.store8_lane(to, v, 0);
          v = i8x16.shuffle(v, v, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0);
        }
      }
    }
  }
}

/** y = (x − zero) · scale, elements begin to end; x are u8. */
export function dequantize(y: usize, x: usize, scale: f32, zero: i32, begin: i32, end: i32): void {
  const s = f32x4.splat(scale);
  const z = i32x4.splat(zero);
  for (let i = begin; i < end; i += 4) storeWords(y + ((<usize>i) << 2), dequantize4(x + i, z, s), end - i);
}
