// Mean over one axis.

import { storeWords } from "../lanes/simd";
import { meanOf } from "./moments";

/**
 * y[o][i] = (Σ_r x[o][r][i]) / reduce: x [outer][reduce][inner] → y [outer][inner]. Range: outer.
 *
 * r ascending; where inner is 1, lane r mod 4 sums every fourth element, then (l0 + l2) + (l1 + l3).
 */
export function reduceMean(y: usize, x: usize, reduce: i32, inner: i32, begin: i32, end: i32): void {
  const count = f32x4.splat(<f32>reduce);
  for (let o = begin; o < end; o++) {
    const from = x + ((<usize>(o * reduce * inner)) << 2);
    if (inner == 1) {
      store<f32>(y + ((<usize>o) << 2), meanOf(from, reduce));
      continue;
    }
    const to = y + ((<usize>(o * inner)) << 2);
    for (let i = 0; i < inner; i += 4) {
      let p = from + ((<usize>i) << 2);
      let sum = f32x4.splat(0);
      for (let r = 0; r < reduce; r++, p += (<usize>inner) << 2) sum = f32x4.add(sum, v128.load(p));
      storeWords(to + ((<usize>i) << 2), f32x4.div(sum, count), inner - i);
    }
  }
}
