// What becomes of int32 sums: u8 codes, in registers, or f32, in place.

import { storeBytes, storeBytes8, storeWords } from "../simd";

/** 1.5 · 2²³: added to |x| < 2²², it leaves rne(x) in the low mantissa bits. */
const MAGIC: f32 = 12582912;
const MAGIC_BITS: i32 = 0x4b400000;

/** What `requantize` subtracts from a float's bits to be left with rne(x) + zero. */
export function codeShift(zero: i32): v128 {
  return i32x4.splat(MAGIC_BITS - zero);
}

/**
 * clamp(rne(f32(acc) · scale), lo, hi) + zero, four lanes; lo and hi count from the zero point.
 *
 * Clamping first is the same (the bounds are whole) and bounds x for the magic number, whose addition rounds
 * half to even. NaN becomes lo. The zero point is no part of the magic number: an odd one would turn ties.
 */
export function requantize(acc: v128, scale: v128, lo: v128, hi: v128, shift: v128): v128 {
  const x = f32x4.pmax(lo, f32x4.mul(f32x4.convert_i32x4_s(acc), scale));
  return i32x4.sub(f32x4.add(f32x4.pmin(hi, x), f32x4.splat(MAGIC)), shift);
}

/** Sixteen codes in a row. */
export function narrow(v0: v128, v1: v128, v2: v128, v3: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(v0, v1), i16x8.narrow_i32x4_s(v2, v3));
}

/** Where sums that become T start: codes at the offset, raw sums at zero. */
export function start<T>(offset: usize): v128 {
  return sizeof<T>() == 1 ? v128.load(offset) : i32x4.splat(0);
}

/** Stores sums as T: u8 codes, or int32 as they are. Static methods, because only a method can ask to be inlined
 *  in syntax that formatters know; as calls, these would cost as much as eight k of the tile. */
export class Results {
  /** Writes `cols` (up to 8) results of two rows: u8 codes, or the int32 sums as they are. */
  @inline
  static store<T>(
    y0: usize,
    y1: usize,
    cols: i32,
    a0: v128,
    a1: v128,
    b0: v128,
    b1: v128,
    s0: v128,
    s1: v128,
    lo: v128,
    hi: v128,
    shift: v128,
  ): void {
    if (sizeof<T>() == 1) {
      const q = narrow(
        requantize(a0, s0, lo, hi, shift),
        requantize(a1, s1, lo, hi, shift),
        requantize(b0, s0, lo, hi, shift),
        requantize(b1, s1, lo, hi, shift),
      );
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

  /** Writes `cols` (up to 16) results of one row. */
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
    lo: v128,
    hi: v128,
    shift: v128,
  ): void {
    if (sizeof<T>() == 1) {
      const q = narrow(
        requantize(v0, v128.load(sp), lo, hi, shift),
        requantize(v1, v128.load(sp, 16), lo, hi, shift),
        requantize(v2, v128.load(sq), lo, hi, shift),
        requantize(v3, v128.load(sq, 16), lo, hi, shift),
      );
      storeBytes(y, q, cols);
    } else {
      storeWords(y, v0, cols);
      storeWords(y + 16, v1, cols - 4);
      storeWords(y + 32, v2, cols - 8);
      storeWords(y + 48, v3, cols - 12);
    }
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
