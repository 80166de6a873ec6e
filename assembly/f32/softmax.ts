// Softmax over rows. Lane i mod 4 sums the elements i, i + 4, …, then (l0 + l2) + (l1 + l3): one fixed order.

import { exp } from "../lanes/exp";
import { head4, largest, sum4 } from "../lanes/lanes";
import { log } from "../lanes/log";
import { storeWords } from "../lanes/simd";

/** y[r][c] = e^(x[r][c] − m) / Σ_c e^(x[r][c] − m), m = max x[r]; rows of `cols`, dense. Range: rows. y may be x. */
export function softmax(y: usize, x: usize, cols: i32, begin: i32, end: i32): void {
  for (let r = begin; r < end; r++) {
    const from = x + ((<usize>(r * cols)) << 2);
    const to = y + ((<usize>(r * cols)) << 2);
    const m = largest(from, cols);
    let sum = f32x4.splat(0);
    for (let i = 0; i < cols; i += 4) {
      const e = exp(f32x4.sub(v128.load(from + ((<usize>i) << 2)), m));
      sum = f32x4.add(sum, head4(e, f32x4.splat(0), cols - i));
      storeWords(to + ((<usize>i) << 2), e, cols - i);
    }
    const total = f32x4.splat(sum4(sum));
    for (let i = 0; i < cols; i += 4) {
      const at = to + ((<usize>i) << 2);
      storeWords(at, f32x4.div(v128.load(at), total), cols - i);
    }
  }
}

/** y[r][c] = (x[r][c] − m) − ln Σ_c e^(x[r][c] − m), otherwise as softmax. */
export function logSoftmax(y: usize, x: usize, cols: i32, begin: i32, end: i32): void {
  for (let r = begin; r < end; r++) {
    const from = x + ((<usize>(r * cols)) << 2);
    const to = y + ((<usize>(r * cols)) << 2);
    const m = largest(from, cols);
    let sum = f32x4.splat(0);
    for (let i = 0; i < cols; i += 4) {
      const e = exp(f32x4.sub(v128.load(from + ((<usize>i) << 2)), m));
      sum = f32x4.add(sum, head4(e, f32x4.splat(0), cols - i));
    }
    const total = log(f32x4.splat(sum4(sum)));
    for (let i = 0; i < cols; i += 4) {
      const v = f32x4.sub(v128.load(from + ((<usize>i) << 2)), m);
      storeWords(to + ((<usize>i) << 2), f32x4.sub(v, total), cols - i);
    }
  }
}
