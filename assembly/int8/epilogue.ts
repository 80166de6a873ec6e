// What becomes of int32 sums: u8 codes, in registers, or f32, in place.

import { storeBytes, storeBytes8, storeWords } from "../lanes/simd";
import { shiftOfCodes } from "./panels";

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

/**
 * Bytes of what all results of a call become codes with, at the start of scratch; and how far from y others lie that are
 * added to them (0: none), with what that takes.
 *
 *   codes | lo | magic | shift | hi |   sums | way, by, own hi | shift | lo | hi |
 */
export const CODES: i32 = 128;
const WAY: usize = 64;
const BY: usize = 68;
const OWN_HI: usize = 72;
const SUMS: usize = 80;

/** From memory they are neither built anew for every tile nor take registers from its loop. */
export function storeCodes(to: usize, zero: i32, lo: i32, hi: i32): void {
  store<usize>(to, 0, WAY);
  v128.store(to, f32x4.splat(<f32>(lo - zero)));
  v128.store(to, codeMagic(), 16);
  v128.store(to, codeShift(zero), 32);
  v128.store(to, i8x16.splat(<i8>hi), 48);
}

/** Behind storeCodes: codes to which others are added become codes once more, as gemmInt8Add says. */
export function storeSums(to: usize, way: usize, by: usize, ownHi: i32): void {
  store<usize>(to, way, WAY);
  store<usize>(to, by, BY);
  store<f32>(to, <f32>ownHi, OWN_HI);
  v128.store(to, codeShift(<i32>load<f32>(by, 16)), SUMS);
  v128.store(to, i8x16.splat(<i8>load<f32>(by, 20)), SUMS + 16);
  v128.store(to, i8x16.splat(<i8>load<f32>(by, 24)), SUMS + 32);
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
      const way = load<usize>(codes, WAY);
      const q = way
        ? Results.add(
            a0,
            a1,
            b0,
            b1,
            scale,
            scale,
            v128.load64_lane(y1 + way, v128.load64_zero(y0 + way), 1),
            codes,
          )
        : Results.quantize(a0, a1, b0, b1, scale, scale, codes);
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
      const way = load<usize>(codes, WAY);
      const q = way
        ? Results.add(v0, v1, v2, v3, sp, sq, v128.load(y + way), codes)
        : Results.quantize(v0, v1, v2, v3, sp, sq, codes);
      storeBytes(y, q, cols);
    } else {
      storeWords(y, v0, cols);
      storeWords(y + 16, v1, cols - 4);
      storeWords(y + 32, v2, cols - 8);
      storeWords(y + 48, v3, cols - 12);
    }
  }

  /** Sixteen sums to codes. */
  @inline
  static quantize(v0: v128, v1: v128, v2: v128, v3: v128, sp: usize, sq: usize, codes: usize): v128 {
    const lo = v128.load(codes);
    const magic = v128.load(codes, 16);
    const shift = v128.load(codes, 32);
    return narrow(
      requantize(v0, v128.load(sp), lo, magic, shift),
      requantize(v1, v128.load(sp, 16), lo, magic, shift),
      requantize(v2, v128.load(sq), lo, magic, shift),
      requantize(v3, v128.load(sq, 16), lo, magic, shift),
      v128.load(codes, 48),
    );
  }

  /** Sixteen sums to codes, to which `others` are added. */
  static add(v0: v128, v1: v128, v2: v128, v3: v128, sp: usize, sq: usize, others: v128, codes: usize): v128 {
    const low = i16x8.extend_low_i8x16_u(others);
    const high = i16x8.extend_high_i8x16_u(others);
    const q = narrow(
      Results.addFour(v0, v128.load(sp), i32x4.extend_low_i16x8_u(low), codes),
      Results.addFour(v1, v128.load(sp, 16), i32x4.extend_high_i16x8_u(low), codes),
      Results.addFour(v2, v128.load(sq), i32x4.extend_low_i16x8_u(high), codes),
      Results.addFour(v3, v128.load(sq, 16), i32x4.extend_high_i16x8_u(high), codes),
      v128.load(codes, SUMS + 32),
    );
    return i8x16.max_u(q, v128.load(codes, SUMS + 16));
  }

  /** In between, a code less its zero point stays the float that it is. Sums of less than 2²² steps are rounded unbounded. */
  @inline
  static addFour(acc: v128, scale: v128, others: v128, codes: usize): v128 {
    const by = load<usize>(codes, BY);
    const q = f32x4.pmax(v128.load(codes), f32x4.mul(f32x4.convert_i32x4_s(acc), scale));
    const own = f32x4.nearest(f32x4.pmin(v128.load32_splat(codes, OWN_HI), q));
    const other = f32x4.sub(f32x4.convert_i32x4_s(others), v128.load32_splat(by, 8));
    const a = f32x4.mul(own, v128.load32_splat(by));
    const b = f32x4.mul(other, v128.load32_splat(by, 4));
    const v = f32x4.div(f32x4.add(a, b), v128.load32_splat(by, 12));
    return i32x4.sub(f32x4.add(v, v128.load(codes, 16)), v128.load(codes, SUMS));
  }
}

/**
 * y[c] = clamp(f32(y[c] as i32 − xZero · colsum[c]) · f32(xScale · scale[c]) + bias[c], lo, hi)   columns [begin, end)
 *
 * y holds the sums of codes as this class has them. bias 0 is none. begin is a multiple of 4.
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
  const zero = i32x4.splat(xZero - shiftOfCodes());
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
