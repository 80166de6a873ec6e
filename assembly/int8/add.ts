// Sum of two quantized maps in one pass over their codes.

import { quantizeOne } from "./codes";
import { codeMagic, codeShift, narrow, roundCode } from "./epilogue";

/** (a · aScale + b · bScale) / yScale of four codes less their zero points. NaN, of infinities, counts as 0. */
function sum(a: v128, b: v128, as: v128, bs: v128, s: v128): v128 {
  const products = f32x4.add(
    f32x4.mul(f32x4.convert_i32x4_s(a), as),
    f32x4.mul(f32x4.convert_i32x4_s(b), bs),
  );
  const v = f32x4.div(products, s);
  return v128.and(v, f32x4.eq(v, v));
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
  const az = i16x8.splat(<i16>aZero);
  const bs = f32x4.splat(bScale);
  const bz = i16x8.splat(<i16>bZero);
  const s = f32x4.splat(yScale);
  const shift = codeShift(yZero);
  const low = f32x4.splat(<f32>(lo - yZero));
  const high = i8x16.splat(<i8>hi);
  const magic = codeMagic();
  let i = begin;
  for (; i + 16 <= end; i += 16) {
    const a0 = i16x8.sub(v128.load8x8_u(a + i), az);
    const b0 = i16x8.sub(v128.load8x8_u(b + i), bz);
    const a1 = i16x8.sub(v128.load8x8_u(a + i, 8), az);
    const b1 = i16x8.sub(v128.load8x8_u(b + i, 8), bz);
    const v0 = sum(i32x4.extend_low_i16x8_s(a0), i32x4.extend_low_i16x8_s(b0), as, bs, s);
    const v1 = sum(i32x4.extend_high_i16x8_s(a0), i32x4.extend_high_i16x8_s(b0), as, bs, s);
    const v2 = sum(i32x4.extend_low_i16x8_s(a1), i32x4.extend_low_i16x8_s(b1), as, bs, s);
    const v3 = sum(i32x4.extend_high_i16x8_s(a1), i32x4.extend_high_i16x8_s(b1), as, bs, s);
    const v = narrow(
      roundCode(v0, low, magic, shift),
      roundCode(v1, low, magic, shift),
      roundCode(v2, low, magic, shift),
      roundCode(v3, low, magic, shift),
      high,
    );
    v128.store(y + i, v);
  }
  for (; i < end; i++) {
    const v = <f32>(load<u8>(a + i) - aZero) * aScale + <f32>(load<u8>(b + i) - bZero) * bScale;
    store<u8>(y + i, quantizeOne(v, yScale, <f32>(lo - yZero), <f32>(hi - yZero)) + yZero);
  }
}
