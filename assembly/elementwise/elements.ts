// Elements of every dtype as lanes of 32 bits.

import { storeBytes8 } from "../lanes/simd";
import { SIGNED_BYTE } from "./types";

/** What memory adds to an i8: its top bit is flipped there. */
export function offsetOf(type: i32): v128 {
  return i32x4.splat(type == SIGNED_BYTE ? 128 : 0);
}

/** Four words from element i on, or one repeated where step is 0. */
export function words(x: usize, i: i32, step: i32): v128 {
  return step ? v128.load(x + ((<usize>i) << 2)) : v128.load32_splat(x);
}

/** Four bytes as words, or one repeated. */
export function bytes(x: usize, i: i32, step: i32): v128 {
  const v = step ? v128.load32_zero(x + i) : v128.load8_splat(x);
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v));
}

/** Writes the low bytes of the first `count` words, of all four where it is larger. */
export function storeLowBytes(y: usize, v: v128, count: i32): void {
  const low = i8x16.shuffle(v, v, 0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  const four = i32x4.extract_lane(low, 0);
  if (count >= 4) store<i32>(y, four);
  else storeBytes8(y, <i64>four, count);
}
