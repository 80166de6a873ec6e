// f32 to 8-bit codes and back, one scale for all. Codes are u8, or i8 where the bounds are.

import { Codes, quantizeOne } from "./codes";
import { codeShift } from "./epilogue";

/** Pixels done before the next four channels, so that the lines of y they share stay in cache. */
const STRIP: i32 = 64;

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
  const lo = <f32>(qmin - zero);
  const hi = <f32>(qmax - zero);
  const low = f32x4.splat(lo);
  const high = f32x4.splat(hi);
  const shift = codeShift(zero);
  let i = begin;
  for (; i + 16 <= end; i += 16) {
    const at = x + ((<usize>i) << 2);
    const v = Codes.narrow(
      Codes.quantize4(v128.load(at), s, low, high, shift),
      Codes.quantize4(v128.load(at, 16), s, low, high, shift),
      Codes.quantize4(v128.load(at, 32), s, low, high, shift),
      Codes.quantize4(v128.load(at, 48), s, low, high, shift),
    );
    v128.store(y + i, v);
  }
  for (; i < end; i++) store<u8>(y + i, quantizeOne(load<f32>(x + ((<usize>i) << 2)), scale, lo, hi) + zero);
}

/**
 * y[n][p][c] = quantize(x[n][c][p]): an image to channels-last codes in one pass. Range: n.
 *
 * x f32 [n][channels][spatial], y bytes [n][spatial][channels]. Four pixels of four channels at a time; the last four
 * overlap those before. With fewer than four channels, a pixel writes bytes of the next ones, which they overwrite.
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
  const lo = <f32>(qmin - zero);
  const hi = <f32>(qmax - zero);
  const low = f32x4.splat(lo);
  const high = f32x4.splat(hi);
  const shift = codeShift(zero);
  const plane = (<usize>spatial) << 2;
  const p1: usize = channels > 1 ? plane : 0;
  const p2: usize = channels > 2 ? plane << 1 : p1;
  const p3: usize = channels > 3 ? plane + p2 : p2;
  const fours = max(0, channels < 4 ? spatial - 4 : spatial) & ~3;
  for (let n = begin; n < end; n++) {
    const image = x + <usize>(n * channels) * plane;
    const codes = y + <usize>(n * channels * spatial);
    for (let strip = 0; strip < fours; strip += STRIP) {
      const last = min(fours, strip + STRIP);
      for (let block = 0; block < channels; block += 4) {
        const c = max(0, min(block, channels - 4));
        let from = image + <usize>c * plane + ((<usize>strip) << 2);
        let to = codes + <usize>(strip * channels + c);
        for (let p = strip; p < last; p += 4, from += 16, to += channels << 2) {
          const q = Codes.narrow(
            Codes.quantize4(v128.load(from), s, low, high, shift),
            Codes.quantize4(v128.load(from + p1), s, low, high, shift),
            Codes.quantize4(v128.load(from + p2), s, low, high, shift),
            Codes.quantize4(v128.load(from + p3), s, low, high, shift),
          );
          const v = i8x16.shuffle(q, q, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
          v128.store32_lane(to, v, 0);
          v128.store32_lane(to + channels, v, 1);
          v128.store32_lane(to + 2 * channels, v, 2);
          v128.store32_lane(to + 3 * channels, v, 3);
        }
      }
    }
    for (let p = fours; p < spatial; p++)
      for (let c = 0; c < channels; c++) {
        const v = load<f32>(image + <usize>c * plane + ((<usize>p) << 2));
        store<u8>(codes + <usize>(p * channels + c), quantizeOne(v, scale, lo, hi) + zero);
      }
  }
}

/** y = (x − zero) · scale, elements begin to end; x are u8. */
export function dequantize(y: usize, x: usize, scale: f32, zero: i32, begin: i32, end: i32): void {
  const s = f32x4.splat(scale);
  const z = i16x8.splat(<i16>zero);
  let i = begin;
  for (; i + 8 <= end; i += 8) {
    const v = i16x8.sub(v128.load8x8_u(x + i), z);
    const to = y + ((<usize>i) << 2);
    v128.store(to, Codes.dequantizeLow(v, s));
    v128.store(to, Codes.dequantizeHigh(v, s), 16);
  }
  for (; i < end; i++) store<f32>(y + ((<usize>i) << 2), <f32>(<i32>load<u8>(x + i) - zero) * scale);
}
