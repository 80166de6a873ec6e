// Codes and numbers under scales that a run computes, one in all, one an index of an axis, or one a block of them.

import { storeBytes, storeWords } from "../lanes/simd";

/** Four codes as i32: bytes, or i32 where `wide` is 1. */
function load4(at: usize, wide: i32): v128 {
  if (wide) return v128.load(at);
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(at)));
}

/** One code four times. */
function splat4(at: usize, wide: i32): v128 {
  return i32x4.splat(wide ? load<i32>(at) : <i32>load<u8>(at));
}

/**
 * y[r][i] = (x[r][i] − zero[s])·scale[s], s = (r / n)·outer + (r mod n) / block·step, and i on where `each` is 1.
 *
 * Rows of `inner`, dense; codes of x and zero are bytes, or i32 where `wide` is 1; zero 0: none, which is `otherwise`. Range: rows.
 */
export function dequantizeBy(
  y: usize,
  x: usize,
  scale: usize,
  zero: usize,
  otherwise: i32,
  inner: i32,
  n: i32,
  block: i32,
  outer: i32,
  step: i32,
  each: i32,
  wide: i32,
  begin: i32,
  end: i32,
): void {
  const shift: usize = wide ? 2 : 0;
  for (let r = begin; r < end; r++) {
    const first = (r / n) * outer + ((r % n) / block) * step;
    const row = <usize>r * <usize>inner;
    let s = f32x4.splat(load<f32>(scale + ((<usize>first) << 2)));
    let z = zero ? splat4(zero + ((<usize>first) << shift), wide) : i32x4.splat(otherwise);
    for (let i = 0; i < inner; i += 4) {
      if (each) {
        s = v128.load(scale + ((<usize>(first + i)) << 2));
        if (zero) z = load4(zero + ((<usize>(first + i)) << shift), wide);
      }
      const q = i32x4.sub(load4(x + ((row + i) << shift), wide), z);
      storeWords(y + ((row + i) << 2), f32x4.mul(f32x4.convert_i32x4_s(q), s), inner - i);
    }
  }
}

/**
 * y[r][i] = clamp(rne(x[r][i] / scale[s]) + zero[s], 0, 255), s as dequantizeBy has it, or without bounds of i32 where `wide` is 1. Range: rows.
 */
export function quantizeBy(
  y: usize,
  x: usize,
  scale: usize,
  zero: usize,
  otherwise: i32,
  inner: i32,
  n: i32,
  block: i32,
  outer: i32,
  step: i32,
  each: i32,
  wide: i32,
  begin: i32,
  end: i32,
): void {
  const shift: usize = wide ? 2 : 0;
  for (let r = begin; r < end; r++) {
    const first = (r / n) * outer + ((r % n) / block) * step;
    const row = <usize>r * <usize>inner;
    let s = f32x4.splat(load<f32>(scale + ((<usize>first) << 2)));
    let z = zero ? splat4(zero + ((<usize>first) << shift), wide) : i32x4.splat(otherwise);
    for (let i = 0; i < inner; i += 4) {
      if (each) {
        s = v128.load(scale + ((<usize>(first + i)) << 2));
        if (zero) z = load4(zero + ((<usize>(first + i)) << shift), wide);
      }
      const q = f32x4.nearest(f32x4.div(v128.load(x + ((row + i) << 2)), s));
      if (wide) {
        storeWords(y + ((row + i) << 2), i32x4.add(i32x4.trunc_sat_f32x4_s(q), z), inner - i);
        continue;
      }
      const sum = f32x4.add(q, f32x4.convert_i32x4_s(z));
      const held = f32x4.pmin(f32x4.pmax(sum, f32x4.splat(0)), f32x4.splat(255));
      const words = i32x4.trunc_sat_f32x4_s(held);
      const bytes = i8x16.shuffle(words, words, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
      storeBytes(y + row + i, bytes, min(4, inner - i));
    }
  }
}
