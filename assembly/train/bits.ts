// Masks: one bit an element, bit i & 7 of byte i >> 3, each sample from a byte of its own.

/** Bytes of a sample's mask. */
export function maskBytes(count: i32): usize {
  return <usize>((count + 7) >> 3);
}

/** Lanes are all ones where an element passes, else 0. */
export class Bits {
  /** Where an activation has slope 1: lo < x < hi. */
  @inline
  static within4(x: v128, lo: v128, hi: v128): v128 {
    return v128.and(f32x4.gt(x, lo), f32x4.lt(x, hi));
  }

  /** Where rne(x) is a code: low and high are the first and last, less the zero point. */
  @inline
  static code4(x: v128, low: v128, high: v128): v128 {
    const q = f32x4.nearest(x);
    return v128.and(f32x4.ge(q, low), f32x4.le(q, high));
  }

  /** Sixteen lanes of 32 bits as bytes. */
  @inline
  static narrow(a: v128, b: v128, c: v128, d: v128): v128 {
    return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
  }

  /** Writes a bit for each of the first `count` of sixteen bytes, and 0 in what is left of the last byte. */
  @inline
  static store(to: usize, lanes: v128, count: i32): void {
    const bits = i8x16.bitmask(lanes);
    if (count >= 16) store<u16>(to, <u16>bits);
    else storeLast(to, bits & ((1 << count) - 1), count);
  }
}

function storeLast(to: usize, bits: i32, count: i32): void {
  store<u8>(to, <u8>bits);
  if (count > 8) store<u8>(to, <u8>(bits >> 8), 1);
}
