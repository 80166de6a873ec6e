// int8 depthwise convolution, sixteen channels at a time.
//
// Where the taps of a pixel lie is written down once, in scratch, and serves all its channels; a tap outside the
// image points to a row of zero-point codes. The next pixel adds the same step to every address.
//
//   scratch   | taps' addresses, i32 [T] | their steps, i32 [T] | xZero × up(channels, 16) |      T = up(taps, 4)
//
// The bytes of G taps (2 baseline, 4 relaxed) are zipped, so that one dot adds G products of a channel.

import { storeBytes, up, zipHigh8, zipHigh16, zipLow8, zipLow16 } from "../simd";
import { codeShift, narrow, requantize } from "./epilogue-int8";
import { depthwiseBlockBytes, GROUP } from "./panels-int8";

/**
 * y[p][c] = clamp(rne(f32(Σ_t x[pixel(p, t)][c] · w[c][t] + offset[c]) · scale[c]) + yZero, lo, hi)
 *
 * x u8 [batch][inH][inW][channels], y u8 [batch][outH][outW][channels]. w and offset from packDepthwiseInt8 with
 * kh·kw taps. Pixels outside the image read as xZero. Range: rows of output, batch · outH. y overlaps nothing.
 */
export function depthwiseInt8(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  scratch: usize,
  inH: i32,
  inW: i32,
  channels: i32,
  outH: i32,
  outW: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  xZero: i32,
  yZero: i32,
  lo: i32,
  hi: i32,
  begin: i32,
  end: i32,
): void {
  const low = f32x4.splat(<f32>(lo - yZero));
  const high = f32x4.splat(<f32>(hi - yZero));
  const shift = codeShift(yZero);
  const table = (<usize>up(kh * kw, 4)) << 2;
  const steps = scratch + table;
  const blank = steps + table;
  const tapsEnd = scratch + ((<usize>up(kh * kw, GROUP)) << 2);
  const block = depthwiseBlockBytes(kh * kw);
  memory.fill(blank, <u8>xZero, up(channels, 16));
  y += <usize>begin * outW * channels;
  for (let p = begin; p < end; p++) {
    const image = x + <usize>(p / outH) * inH * inW * channels;
    const top = (p % outH) * strideH - padTop;
    for (let ox = 0, left = -padLeft; ox < outW; ox++, left += strideW, y += channels) {
      // inside, and so was the pixel before: its addresses move by the same step
      const inside = left >= 0 && left + (kw - 1) * dilationW < inW;
      if (inside && left >= strideW && ox > 0) advance(scratch, steps, table);
      else
        locate(
          scratch,
          steps,
          table,
          blank,
          image,
          inH,
          inW,
          channels,
          kh,
          kw,
          strideW,
          dilationH,
          dilationW,
          top,
          left,
        );
      let from = w;
      for (let c = 0; c < channels; c += 16, from += block) {
        pixel(
          y + c,
          channels - c,
          c,
          scratch,
          tapsEnd,
          from,
          offset + ((<usize>c) << 2),
          scale + ((<usize>c) << 2),
          low,
          high,
          shift,
        );
      }
    }
  }
}

/** Addresses of the taps of the pixel at (top, left), and how far each moves for the next pixel inside. */
function locate(
  taps: usize,
  steps: usize,
  table: usize,
  blank: usize,
  image: usize,
  inH: i32,
  inW: i32,
  channels: i32,
  kh: i32,
  kw: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  top: i32,
  left: i32,
): void {
  const end = taps + table;
  for (let i = 0, row = top; i < kh; i++, row += dilationH) {
    for (let j = 0, column = left; j < kw; j++, column += dilationW, taps += 4, steps += 4) {
      const outside = <u32>row >= <u32>inH || <u32>column >= <u32>inW;
      store<i32>(taps, outside ? blank : image + <usize>((row * inW + column) * channels));
      store<i32>(steps, outside ? 0 : strideW * channels);
    }
  }
  for (; taps < end; taps += 4, steps += 4) {
    store<i32>(taps, blank);
    store<i32>(steps, 0);
  }
}

function advance(taps: usize, steps: usize, table: usize): void {
  for (const end = taps + table; taps < end; taps += 16, steps += 16) {
    v128.store(taps, i32x4.add(v128.load(taps), v128.load(steps)));
  }
}

/** Sixteen channels, from c on, of one pixel whose taps are listed from `taps` to `end`. */
function pixel(
  y: usize,
  cols: i32,
  c: usize,
  taps: usize,
  end: usize,
  w: usize,
  offset: usize,
  scale: usize,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  let c0 = v128.load(offset);
  let c1 = v128.load(offset, 16);
  let c2 = v128.load(offset, 32);
  let c3 = v128.load(offset, 48);
  for (; taps < end; taps += GROUP * 4, w += 64) {
    const x0 = v128.load(load<usize>(taps) + c);
    const x1 = v128.load(load<usize>(taps, 4) + c);
    const low01 = zipLow8(x0, x1);
    const high01 = zipHigh8(x0, x1);
    if (ASC_FEATURE_RELAXED_SIMD) {
      const x2 = v128.load(load<usize>(taps, 8) + c);
      const x3 = v128.load(load<usize>(taps, 12) + c);
      const low23 = zipLow8(x2, x3);
      const high23 = zipHigh8(x2, x3);
      c0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(w), zipLow16(low01, low23), c0);
      c1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(w, 16), zipHigh16(low01, low23), c1);
      c2 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(w, 32), zipLow16(high01, high23), c2);
      c3 = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(w, 48), zipHigh16(high01, high23), c3);
    } else {
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(low01), v128.load(w)));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(low01), v128.load(w, 16)));
      c2 = i32x4.add(c2, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(high01), v128.load(w, 32)));
      c3 = i32x4.add(c3, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(high01), v128.load(w, 48)));
    }
  }
  const q = narrow(
    requantize(c0, v128.load(scale), lo, hi, shift),
    requantize(c1, v128.load(scale, 16), lo, hi, shift),
    requantize(c2, v128.load(scale, 32), lo, hi, shift),
    requantize(c3, v128.load(scale, 48), lo, hi, shift),
  );
  storeBytes(y, q, cols);
}
