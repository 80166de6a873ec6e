// Masks of what becomes codes otherwise than from a layer's sums: the bit that requantizeMasked makes, found again from
// the operands. NaN passes nothing.

import { firstTap, lastTap } from "../lanes/taps";
import { Window } from "../lanes/window";
import { Bits, maskBytes } from "./bits";

/** Smallest and largest code, less the zero point. */
function firstCode(zero: i32): v128 {
  return f32x4.convert_i32x4_s(i32x4.splat(-zero));
}

function lastCode(zero: i32): v128 {
  return f32x4.convert_i32x4_s(i32x4.splat(255 - zero));
}

class Quantize {
  @inline
  static pass4(x: usize, scale: v128, low: v128, high: v128): v128 {
    return Bits.code4(f32x4.div(v128.load(x), scale), low, high);
  }
}

/**
 * mask = (0 ≤ rne(x / scale) + zero ≤ 255): of QuantizeLinear. Range: samples.
 *
 * mask bits and x f32 [samples][count].
 */
export function quantizeMask(
  mask: usize,
  x: usize,
  scale: f32,
  zero: i32,
  count: i32,
  begin: i32,
  end: i32,
): void {
  const s = f32x4.splat(scale);
  const low = firstCode(zero);
  const high = lastCode(zero);
  const bytes = maskBytes(count);
  for (let sample = begin; sample < end; sample++) {
    const from = x + ((<usize>(sample * count)) << 2);
    const to = mask + <usize>sample * bytes;
    for (let i = 0; i < count; i += 16) {
      const at = from + ((<usize>i) << 2);
      const pass = Bits.narrow(
        Quantize.pass4(at, s, low, high),
        Quantize.pass4(at + 16, s, low, high),
        Quantize.pass4(at + 32, s, low, high),
        Quantize.pass4(at + 48, s, low, high),
      );
      Bits.store(to + <usize>(i >> 3), pass, count - i);
    }
  }
}

class Sum {
  /** Whether the sum of four codes each, less their zero points, passes. */
  @inline
  static pass4(
    a: v128,
    b: v128,
    as: v128,
    bs: v128,
    ys: v128,
    low: v128,
    high: v128,
    lo: v128,
    hi: v128,
  ): v128 {
    const x = f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(a), as), f32x4.mul(f32x4.convert_i32x4_s(b), bs));
    return v128.and(Bits.within4(x, lo, hi), Bits.code4(f32x4.div(x, ys), low, high));
  }
}

/**
 * mask = (lo < x < hi) and (0 ≤ rne(x / yScale) + yZero ≤ 255), x = (a − aZero)·aScale + (b − bZero)·bScale: of addInt8.
 * Range: samples.
 *
 * mask bits, a and b u8 [samples][count]. lo and hi are where the activation's slope turns 0.
 */
export function addMask(
  mask: usize,
  a: usize,
  b: usize,
  aScale: f32,
  aZero: i32,
  bScale: f32,
  bZero: i32,
  yScale: f32,
  yZero: i32,
  lo: f32,
  hi: f32,
  count: i32,
  begin: i32,
  end: i32,
): void {
  const as = f32x4.splat(aScale);
  const az = i16x8.splat(<i16>aZero);
  const bs = f32x4.splat(bScale);
  const bz = i16x8.splat(<i16>bZero);
  const s = f32x4.splat(yScale);
  const low = firstCode(yZero);
  const high = lastCode(yZero);
  const above = f32x4.splat(lo);
  const below = f32x4.splat(hi);
  const bytes = maskBytes(count);
  for (let sample = begin; sample < end; sample++) {
    const from = <usize>(sample * count);
    const to = mask + <usize>sample * bytes;
    for (let i = 0; i < count; i += 16) {
      const at = from + i;
      const a0 = i16x8.sub(v128.load8x8_u(a + at), az);
      const b0 = i16x8.sub(v128.load8x8_u(b + at), bz);
      const a1 = i16x8.sub(v128.load8x8_u(a + at, 8), az);
      const b1 = i16x8.sub(v128.load8x8_u(b + at, 8), bz);
      const a00 = i32x4.extend_low_i16x8_s(a0);
      const b00 = i32x4.extend_low_i16x8_s(b0);
      const a01 = i32x4.extend_high_i16x8_s(a0);
      const b01 = i32x4.extend_high_i16x8_s(b0);
      const a10 = i32x4.extend_low_i16x8_s(a1);
      const b10 = i32x4.extend_low_i16x8_s(b1);
      const a11 = i32x4.extend_high_i16x8_s(a1);
      const b11 = i32x4.extend_high_i16x8_s(b1);
      const pass = Bits.narrow(
        Sum.pass4(a00, b00, as, bs, s, low, high, above, below),
        Sum.pass4(a01, b01, as, bs, s, low, high, above, below),
        Sum.pass4(a10, b10, as, bs, s, low, high, above, below),
        Sum.pass4(a11, b11, as, bs, s, low, high, above, below),
      );
      Bits.store(to + <usize>(i >> 3), pass, count - i);
    }
  }
}

/** Σ x of four channels over a window. */
function windowSum(x: usize, rows: i32, cols: i32, dx: usize, dy: usize): v128 {
  let sum = i32x4.splat(0);
  for (; rows > 0; rows--, x += dy) {
    let p = x;
    for (let i = 0; i < cols; i++, p += dx) {
      const v = i16x8.extend_low_i8x16_u(v128.load32_zero(p));
      sum = i32x4.add(sum, i32x4.extend_low_i16x8_u(v));
    }
  }
  return sum;
}

/**
 * mask = (lo < f32(s)·f32(xScale / count) < hi) and (0 ≤ rne(f32(s)·m) + yZero ≤ 255), s = Σ (x − xZero): of averagePoolU8,
 * whose arguments these are, with the activation's bounds. Range: samples.
 *
 * mask bits [samples][outH·outW·channels], x u8 [samples][inH][inW][channels].
 */
export function averagePoolMask(
  mask: usize,
  x: usize,
  window: usize,
  xScale: f32,
  xZero: i32,
  yScale: f32,
  yZero: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const slide = changetype<Window>(window);
  const inH = slide.inH;
  const inW = slide.inW;
  const channels = slide.cin;
  const outH = slide.outH;
  const outW = slide.outW;
  const kh = slide.kh;
  const kw = slide.kw;
  const dilationH = slide.dilationH;
  const dilationW = slide.dilationW;
  const coverH = slide.coverH;
  const coverW = slide.coverW;
  const low = firstCode(yZero);
  const high = lastCode(yZero);
  const above = f32x4.splat(lo);
  const below = f32x4.splat(hi);
  const dx = <usize>(channels * dilationW);
  const dy = <usize>(channels * dilationH * inW);
  for (let sample = begin; sample < end; sample++) {
    let to = mask + <usize>sample * maskBytes(outH * outW * channels);
    let bits = 0;
    let held = 0;
    for (let oy = 0; oy < outH; oy++) {
      const iy = oy * slide.strideH - slide.padTop;
      const top = firstTap(iy, dilationH);
      const rows = lastTap(iy, dilationH, kh, inH) - top;
      const line = x + <usize>((sample * inH + iy + top * dilationH) * inW * channels);
      for (let ox = 0; ox < outW; ox++) {
        const ix = ox * slide.strideW - slide.padLeft;
        const left = firstTap(ix, dilationW);
        const cols = lastTap(ix, dilationW, kw, inW) - left;
        const covered = coverH
          ? lastTap(iy, dilationH, kh, coverH) * lastTap(ix, dilationW, kw, coverW)
          : rows * cols;
        const scale = xScale / <f32>covered;
        const s = f32x4.splat(scale);
        const m = f32x4.splat(scale / yScale);
        const zeros = i32x4.splat(rows * cols * xZero);
        const from = line + <usize>((ix + left * dilationW) * channels);
        for (let c = 0; c < channels; c += 4) {
          const sum = f32x4.convert_i32x4_s(i32x4.sub(windowSum(from + c, rows, cols, dx, dy), zeros));
          const isCode = Bits.code4(f32x4.mul(sum, m), low, high);
          const pass = v128.and(Bits.within4(f32x4.mul(sum, s), above, below), isCode);
          const count = min(4, channels - c);
          bits |= (i32x4.bitmask(pass) & ((1 << count) - 1)) << held;
          held += count;
          if (held < 8) continue;
          store<u8>(to++, <u8>bits);
          bits >>= 8;
          held -= 8;
        }
      }
    }
    if (held) store<u8>(to, <u8>bits);
  }
}
