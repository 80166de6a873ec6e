// What becomes of int32 sums: u8 codes or i32, in registers, or f32, in place.

import { storeWords8 } from "../lanes/lanes";
import { storeBytes, storeBytes8, storeWords } from "../lanes/simd";
import { shiftOfCodes } from "./panels";
import { ADD, DEQUANTIZE, Epilogue, SUMS } from "./sizes";

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
 * with x and whose addition rounds half to even. NaN becomes lo. The zero point is not part of the magic number: an odd
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
 * What all results of a call are made with, at the start of scratch: from memory it is neither built anew for every tile nor
 * takes registers from its loop.
 *
 *   codes | lo | magic | shift | hi |  kind, way, by, own hi |  of sums: shift | lo | hi |  start |
 *
 * `way` is how far from y others lie that are added to codes, `by` what that takes, `start` a mask of where sums start.
 */
const KIND: usize = 64;
const WAY: usize = 68;
const BY: usize = 72;
const OWN_HI: usize = 76;
const TOTALS: usize = 80;
const START: usize = 128;

/** Writes that for an epilogue, whose other codes lie `way` bytes from y. */
export function prepare(to: usize, epilogue: Epilogue, way: usize): void {
  const kind = <i32>epilogue.kind;
  const zero = epilogue.zero;
  store<i32>(to, kind, KIND);
  v128.store(to, f32x4.splat(epilogue.lo - zero));
  v128.store(to, codeMagic(), 16);
  v128.store(to, codeShift(<i32>zero), 32);
  v128.store(to, i8x16.splat(<i8>epilogue.hi), 48);
  v128.store(to, i32x4.splat(kind == DEQUANTIZE ? 0 : -1), START);
  if (kind != ADD) return;
  store<usize>(to, way, WAY);
  store<usize>(to, changetype<usize>(epilogue) + offsetof<Epilogue>("ownScale"), BY);
  store<f32>(to, epilogue.hi - zero, OWN_HI);
  v128.store(to, codeShift(<i32>epilogue.sumZero), TOTALS);
  v128.store(to, i8x16.splat(<i8>epilogue.sumLo), TOTALS + 16);
  v128.store(to, i8x16.splat(<i8>epilogue.sumHi), TOTALS + 32);
}

/** Bytes of a result. */
export function resultBytes(codes: usize): usize {
  return load<i32>(codes, KIND) < SUMS ? 1 : 4;
}

/** Where the sums of four columns start: at their offset, or at 0 where it is what a zero point counts. */
export function start(offset: usize, codes: usize): v128 {
  return v128.and(v128.load(offset), v128.load(codes, START));
}

/** Stores sums as what the epilogue makes of them. Static methods, because only a method can ask to be inlined
 *  in syntax that formatters know; as calls, these would cost as much as eight k of the tile. */
export class Results {
  /** Writes `cols` (up to 8) results of two rows, of columns whose scales are at `scale`. */
  @inline
  static store(
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
    const kind = load<i32>(codes, KIND);
    if (kind >= SUMS) {
      if (cols >= 8) {
        v128.store(y0, a0);
        v128.store(y0, a1, 16);
        v128.store(y1, b0);
        v128.store(y1, b1, 16);
      } else {
        storeWords8(y0, a0, a1, cols);
        storeWords8(y1, b0, b1, cols);
      }
      return;
    }
    const way = load<usize>(codes, WAY);
    const q =
      kind == ADD
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
  }

  /** Writes `cols` (up to 16) results of one row, of two panels whose scales are at sp and sq. */
  @inline
  static storeRow(
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
    const kind = load<i32>(codes, KIND);
    if (kind >= SUMS) {
      storeWords8(y, v0, v1, cols);
      storeWords8(y + 32, v2, v3, cols - 8);
      return;
    }
    const q =
      kind == ADD
        ? Results.add(v0, v1, v2, v3, sp, sq, v128.load(y + load<usize>(codes, WAY)), codes)
        : Results.quantize(v0, v1, v2, v3, sp, sq, codes);
    storeBytes(y, q, cols);
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
      v128.load(codes, TOTALS + 32),
    );
    return i8x16.max_u(q, v128.load(codes, TOTALS + 16));
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
    return i32x4.sub(f32x4.add(v, v128.load(codes, 16)), v128.load(codes, TOTALS));
  }
}

/**
 * y[r][c] = clamp(f32(y[r][c] as i32 − xZero · colsum[c]) · f32(xScale · scale[c]) + bias[c], lo, hi)   columns [begin, end)
 *
 * Of `rows` rows, ldy bytes apart: y holds the sums of codes as this class has them. xScale f32 and xZero i32 are `step` bytes
 * apart for each row. bias 0 is none. begin is a multiple of 4.
 */
export function dequantize(
  y: usize,
  ldy: usize,
  rows: i32,
  colsum: usize,
  scale: usize,
  bias: usize,
  xScale: usize,
  xZero: usize,
  step: usize,
  epilogue: Epilogue,
  begin: i32,
  end: i32,
): void {
  const low = f32x4.splat(epilogue.lo);
  const high = f32x4.splat(epilogue.hi);
  for (; rows > 0; rows--, y += ldy, xScale += step, xZero += step) {
    const zero = i32x4.splat(load<i32>(xZero) - shiftOfCodes());
    const by = v128.load32_splat(xScale);
    for (let c = begin; c < end; c += 4) {
      const at = (<usize>c) << 2;
      const sum = i32x4.sub(v128.load(y + at), i32x4.mul(zero, v128.load(colsum + at)));
      let v = f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(by, v128.load(scale + at)));
      v = f32x4.add(v, bias ? v128.load(bias + at) : f32x4.splat(0));
      storeWords(y + at, f32x4.min(f32x4.max(v, low), high), end - c);
    }
  }
}
