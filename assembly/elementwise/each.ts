// Functions of one f32 value, elements begin to end; y may be x. One loop, compiled for each function.

import { storeWords } from "../lanes/simd";
import { storeLowBytes } from "./elements";

/** A function of four lanes and two parameters, which are the same in all lanes. */
@unmanaged
export class Single {
  of(x: v128, _p: v128, _q: v128): v128 {
    return x;
  }
}

/** y = f(x, p, q). */
export function each<F extends Single>(y: usize, x: usize, p: f32, q: f32, begin: i32, end: i32): void {
  const f = changetype<F>(0);
  const first = f32x4.splat(p);
  const second = f32x4.splat(q);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), f.of(v, first, second), end - i);
  }
}

/** y = 1 where lanes of f(x, p, q) are ones, else 0: bytes. y is not x. */
export function eachTest<F extends Single>(y: usize, x: usize, p: f32, q: f32, begin: i32, end: i32): void {
  const f = changetype<F>(0);
  const first = f32x4.splat(p);
  const second = f32x4.splat(q);
  const one = i32x4.splat(1);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeLowBytes(y + i, v128.and(f.of(v, first, second), one), end - i);
  }
}
