// Softplus, f32, elements begin to end; y may be x.

import { exp } from "../lanes/exp";
import { log1p } from "../lanes/log1p";
import { storeWords } from "../lanes/simd";

/** y = ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|), within 3 ulp: no power overflows, and no small one is lost beside 1. */
export function softplus(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    const rest = log1p(exp(f32x4.neg(f32x4.abs(v))));
    storeWords(y + ((<usize>i) << 2), f32x4.add(f32x4.max(v, f32x4.splat(0)), rest), end - i);
  }
}
