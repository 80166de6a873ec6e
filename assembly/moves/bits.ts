// Codes with another sign: what BitCast makes of bytes.

import { storeBytes } from "../lanes/simd";

/** y = x xor 0x80, bytes begin to end: u8 codes ↔ s8 codes. y may be x. */
export function xor128(y: usize, x: usize, begin: i32, end: i32): void {
  const sign = i8x16.splat(-128);
  for (let i = begin; i < end; i += 16) storeBytes(y + i, v128.xor(v128.load(x + i), sign), end - i);
}
