// Lanes that several kernels share. Small enough that asc inlines every one of them.

/** a0 b0 a1 b1 … a7 b7 */
export function zipLow8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** a8 b8 a9 b9 … a15 b15 */
export function zipHigh8(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** a0 b0 a1 b1 a2 b2 a3 b3 in 16-bit lanes. */
export function zipLow16(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** a4 b4 a5 b5 a6 b6 a7 b7 in 16-bit lanes. */
export function zipHigh16(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** a0 b0 a1 b1 in 32-bit lanes. */
export function zipLow32(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 0, 4, 1, 5);
}

/** a2 b2 a3 b3 in 32-bit lanes. */
export function zipHigh32(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 2, 6, 3, 7);
}

/** Writes the first `count` (0..8) of the eight bytes in `bits`. */
export function storeBytes8(to: usize, bits: i64, count: i32): void {
  if (count >= 8) {
    store<i64>(to, bits);
    return;
  }
  if (count & 4) {
    store<i32>(to, <i32>bits);
    bits >>>= 32;
    to += 4;
  }
  if (count & 2) {
    store<i16>(to, <i16>bits);
    bits >>>= 16;
    to += 2;
  }
  if (count & 1) store<i8>(to, <i8>bits);
}

/** Writes the first `count` bytes of v; all sixteen when `count` is larger. */
export function storeBytes(to: usize, v: v128, count: i32): void {
  if (count >= 16) v128.store(to, v);
  else storeBytes15(to, v, count);
}

/** Apart from storeBytes, so that only the end of a row pays for a call. */
function storeBytes15(to: usize, v: v128, count: i32): void {
  storeBytes8(to, i64x2.extract_lane(v, 0), count);
  if (count > 8) storeBytes8(to + 8, i64x2.extract_lane(v, 1), count - 8);
}

/** Writes the first `count` 32-bit lanes of v; all four when `count` is larger. */
export function storeWords(to: usize, v: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, v);
    return;
  }
  if (count > 0) store<i32>(to, i32x4.extract_lane(v, 0));
  if (count > 1) store<i32>(to, i32x4.extract_lane(v, 1), 4);
  if (count > 2) store<i32>(to, i32x4.extract_lane(v, 2), 8);
}
