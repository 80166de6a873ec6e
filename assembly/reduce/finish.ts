// What is done to sums when they are complete, in their place: elements begin to end of y.

import { log } from "../lanes/log";
import { storeWords } from "../lanes/simd";

/** y = y / n. */
export function divideSums(y: usize, n: i32, begin: i32, end: i32): void {
  const count = f32x4.splat(<f32>n);
  for (let i = begin; i < end; i += 4) {
    const at = y + ((<usize>i) << 2);
    storeWords(at, f32x4.div(v128.load(at), count), end - i);
  }
}

/** y = √y. */
export function rootOfSums(y: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const at = y + ((<usize>i) << 2);
    storeWords(at, f32x4.sqrt(v128.load(at)), end - i);
  }
}

/** ln v: −∞ of 0, ∞ of ∞, NaN below 0. Numbers below the normal ones count as 0. */
export function logOfSum(v: v128): v128 {
  const least = f32x4.splat(1.17549435e-38);
  const isNormal = v128.and(f32x4.ge(v, least), f32x4.lt(v, f32x4.splat(Infinity)));
  const isZero = f32x4.lt(f32x4.abs(v), least);
  const rest = v128.bitselect(f32x4.splat(-Infinity), f32x4.sqrt(v), isZero);
  return v128.bitselect(log(v), rest, isNormal);
}

/** y = ln y, by logOfSum. */
export function logOfSums(y: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const at = y + ((<usize>i) << 2);
    storeWords(at, logOfSum(v128.load(at)), end - i);
  }
}
