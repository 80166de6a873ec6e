// What becomes of int32 sums: u8 codes, in registers, or f32, in place.

import { storeBytes, storeBytes8, storeWords } from "../simd";

/** 1.5 · 2²³: added to |x| < 2²², it leaves rne(x) in the low mantissa bits. */
const MAGIC: f32 = 12582912;
const MAGIC_BITS: i32 = 0x4b400000;

/** What `roundCode` adds to a float, and what it subtracts from its bits to be left with rne(x) + zero. */
export function codeMagic(): v128 {
  return f32x4.splat(MAGIC);
}

export function codeShift(zero: i32): v128 {
  return i32x4.splat(MAGIC_BITS - zero);
}

/**
 * max(rne(f32(acc) · scale), lo) + zero, four lanes; lo counts from the zero point. A bound above is left to `narrow`.
 *
 * Clamping first is the same (the bound is whole) and keeps the sum with the magic number positive, whose bits then grow
 * with x and whose addition rounds half to even. NaN becomes lo. The zero point is no part of the magic number: an odd
 * one would turn ties.
 */
export function requantize(acc: v128, scale: v128, lo: v128, magic: v128, shift: v128): v128 {
  return roundCode(f32x4.mul(f32x4.convert_i32x4_s(acc), scale), lo, magic, shift);
}

/** max(rne(x), lo) + zero, likewise. */
export function roundCode(x: v128, lo: v128, magic: v128, shift: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.pmax(lo, x), magic), shift);
}

/** Sixteen codes in a row, none above hi. */
export function narrow(v0: v128, v1: v128, v2: v128, v3: v128, hi: v128): v128 {
  return i8x16.min_u(i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(v0, v1), i16x8.narrow_i32x4_s(v2, v3)), hi);
}

/** Bytes of what all results of a call become codes with, at the start of scratch: | lo | magic | shift | hi | */
export const CODES: i32 = 64;

/** From memory they are neither built anew for every tile nor take registers from its loop. */
export function storeCodes(to: usize, zero: i32, lo: i32, hi: i32): void {
  v128.store(to, f32x4.splat(<f32>(lo - zero)));
  v128.store(to, codeMagic(), 16);
  v128.store(to, codeShift(zero), 32);
  v128.store(to, i8x16.splat(<i8>hi), 48);
}

/** Where sums that become T start: codes at the offset, raw sums at zero. */
export function start<T>(offset: usize): v128 {
  return sizeof<T>() == 1 ? v128.load(offset) : i32x4.splat(0);
}

/** Stores sums as T: u8 codes, or int32 as they are. Static methods, because only a method can ask to be inlined
 *  in syntax that formatters know; as calls, these would cost as much as eight k of the tile. */
export class Results {
  /** Writes `cols` (up to 8) results of two rows, of columns whose scales are at `scale`. */
  @inline
  static store<T>(
    y0: usize,
    y1: usize,
    cols: i32,
    a0: v128,
    a1: v128,
    b0: v128,
    b1: v128,
    scale: usize,
    codes: usize,
  ): void {
    if (sizeof<T>() == 1) {
      const s0 = v128.load(scale);
      const s1 = v128.load(scale, 16);
      const q = Results.quantize(a0, a1, b0, b1, s0, s1, s0, s1, codes);
      if (cols >= 8) {
        v128.store64_lane(y0, q, 0);
        v128.store64_lane(y1, q, 1);
      } else {
        storeBytes8(y0, i64x2.extract_lane(q, 0), cols);
        storeBytes8(y1, i64x2.extract_lane(q, 1), cols);
      }
    } else {
      storeWords(y0, a0, cols);
      storeWords(y0 + 16, a1, cols - 4);
      storeWords(y1, b0, cols);
      storeWords(y1 + 16, b1, cols - 4);
    }
  }

  /** Writes `cols` (up to 16) results of one row, of two panels whose scales are at sp and sq. */
  @inline
  static storeRow<T>(
    y: usize,
    cols: i32,
    v0: v128,
    v1: v128,
    v2: v128,
    v3: v128,
    sp: usize,
    sq: usize,
    codes: usize,
  ): void {
    if (sizeof<T>() == 1) {
      const s0 = v128.load(sp);
      const s1 = v128.load(sp, 16);
      const s2 = v128.load(sq);
      const s3 = v128.load(sq, 16);
      storeBytes(y, Results.quantize(v0, v1, v2, v3, s0, s1, s2, s3, codes), cols);
    } else {
      storeWords(y, v0, cols);
      storeWords(y + 16, v1, cols - 4);
      storeWords(y + 32, v2, cols - 8);
      storeWords(y + 48, v3, cols - 12);
    }
  }

  /** Sixteen sums to codes. */
  @inline
  static quantize(
    v0: v128,
    v1: v128,
    v2: v128,
    v3: v128,
    s0: v128,
    s1: v128,
    s2: v128,
    s3: v128,
    codes: usize,
  ): v128 {
    const lo = v128.load(codes);
    const magic = v128.load(codes, 16);
    const shift = v128.load(codes, 32);
    return narrow(
      requantize(v0, s0, lo, magic, shift),
      requantize(v1, s1, lo, magic, shift),
      requantize(v2, s2, lo, magic, shift),
      requantize(v3, s3, lo, magic, shift),
      v128.load(codes, 48),
    );
  }
}

/**
 * y[c] = clamp(f32(y[c] as i32 − xZero · colsum[c]) · f32(xScale · scale[c]) + bias[c], lo, hi)   columns [begin, end)
 *
 * bias 0 is none. begin is a multiple of 4.
 */
export function dequantizeRow(
  y: usize,
  colsum: usize,
  scale: usize,
  bias: usize,
  xScale: f32,
  xZero: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const zero = i32x4.splat(xZero);
  const by = f32x4.splat(xScale);
  const low = f32x4.splat(lo);
  const high = f32x4.splat(hi);
  for (let c = begin; c < end; c += 4) {
    const at = (<usize>c) << 2;
    const sum = i32x4.sub(v128.load(y + at), i32x4.mul(zero, v128.load(colsum + at)));
    let v = f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(by, v128.load(scale + at)));
    v = f32x4.add(v, bias ? v128.load(bias + at) : f32x4.splat(0));
    storeWords(y + at, f32x4.min(f32x4.max(v, low), high), end - c);
  }
}

/** y[c] += offset[c], i32, columns [begin, end); begin is a multiple of 4. */
export function addOffset(y: usize, offset: usize, begin: i32, end: i32): void {
  for (let c = begin; c < end; c += 4) {
    const at = (<usize>c) << 2;
    storeWords(y + at, i32x4.add(v128.load(y + at), v128.load(offset + at)), end - c);
  }
}
