// The logarithm of a sum of exponentials over one dimension.

import { exp } from "../lanes/exp";
import { head4, sum4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";
import { logOfSum } from "./finish";
import { ITSELF, LARGEST, Lanes } from "./fold";

/** v where it is finite, else 0: what can be subtracted from its like. */
function shiftOf(v: v128): v128 {
  return v128.and(v, f32x4.lt(f32x4.abs(v), f32x4.splat(Infinity)));
}

/**
 * y[o][i] = m + ln Σ_r e^(x[o][r][i] − m), m the largest of them, or 0 where that is not finite: x [outer][n][inner] → y [outer][inner].
 *
 * r ascending; where inner is 1, lane r mod 4 sums every fourth element, then (l0 + l2) + (l1 + l3). Range: outer. y is not x.
 */
export function reduceLogSumExp(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  const zero = f32x4.splat(0);
  const step = (<usize>inner) << 2;
  for (let o = begin; o < end; o++) {
    const from = x + <usize>(o * n) * step;
    const to = y + <usize>o * step;
    if (inner == 1) {
      Lanes.row<f32>(LARGEST, ITSELF, to, from, n);
      const m = shiftOf(v128.load32_splat(to));
      let sum = zero;
      for (let r = 0; r < n; r += 4) {
        const e = exp(f32x4.sub(v128.load(from + ((<usize>r) << 2)), m));
        sum = f32x4.add(sum, head4(e, zero, n - r));
      }
      storeWords(to, f32x4.add(m, logOfSum(f32x4.splat(sum4(sum)))), 1);
      continue;
    }
    for (let i = 0; i < inner; i += 4) {
      const at = (<usize>i) << 2;
      let m = f32x4.splat(-Infinity);
      let p = from + at;
      for (let r = 0; r < n; r++, p += step) m = f32x4.max(m, v128.load(p));
      m = shiftOf(m);
      p = from + at;
      let sum = zero;
      for (let r = 0; r < n; r++, p += step) sum = f32x4.add(sum, exp(f32x4.sub(v128.load(p), m)));
      storeWords(to + at, f32x4.add(m, logOfSum(sum)), inner - i);
    }
  }
}
