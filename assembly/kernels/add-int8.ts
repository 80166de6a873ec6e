// Sum of two quantized maps in one pass over their codes.

import { dequantize4, narrow16, round4 } from "../lanes";
import { storeBytes } from "../simd";

function sum(
  a: usize,
  b: usize,
  az: v128,
  as: v128,
  bz: v128,
  bs: v128,
  s: v128,
  lo: v128,
  hi: v128,
  z: v128,
): v128 {
  const v = f32x4.add(dequantize4(a, az, as), dequantize4(b, bz, bs));
  return round4(f32x4.div(v, s), lo, hi, z);
}

/**
 * y = clamp(rne(((a − aZero)·aScale + (b − bZero)·bScale) / yScale) + yZero, lo, hi), u8, elements begin to end.
 *
 * Products, sum and quotient are each rounded to f32. lo and hi are codes. y may be a or b.
 */
export function addInt8(
  y: usize,
  a: usize,
  b: usize,
  aScale: f32,
  aZero: i32,
  bScale: f32,
  bZero: i32,
  yScale: f32,
  yZero: i32,
  lo: i32,
  hi: i32,
  begin: i32,
  end: i32,
): void {
  const as = f32x4.splat(aScale);
  const az = i32x4.splat(aZero);
  const bs = f32x4.splat(bScale);
  const bz = i32x4.splat(bZero);
  const s = f32x4.splat(yScale);
  const z = i32x4.splat(yZero);
  const low = i32x4.splat(lo - yZero);
  const high = i32x4.splat(hi - yZero);
  for (let i = begin; i < end; i += 16) {
    const p = a + i;
    const q = b + i;
    const v = narrow16(
      sum(p, q, az, as, bz, bs, s, low, high, z),
      sum(p + 4, q + 4, az, as, bz, bs, s, low, high, z),
      sum(p + 8, q + 8, az, as, bz, bs, s, low, high, z),
      sum(p + 12, q + 12, az, as, bz, bs, s, low, high, z),
    );
    storeBytes(y + i, v, end - i);
  }
}
