// Gradients of softmax over rows. Lane i mod 4 sums the elements i, i + 4, …, then (l0 + l2) + (l1 + l3): one fixed order.

import { exp } from "../lanes/exp";
import { head4, sum4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";

/** dx[r][c] = y·(dy − Σ_c dy·y), y = softmax; rows of `cols`, dense. Range: rows. dx may be dy. */
export function softmaxGradient(dx: usize, dy: usize, y: usize, cols: i32, begin: i32, end: i32): void {
  const zero = f32x4.splat(0);
  for (let r = begin; r < end; r++) {
    const row = (<usize>(r * cols)) << 2;
    let sum = zero;
    for (let i = 0; i < cols; i += 4) {
      const at = row + ((<usize>i) << 2);
      const part = f32x4.mul(v128.load(dy + at), v128.load(y + at));
      sum = f32x4.add(sum, head4(part, zero, cols - i));
    }
    const total = f32x4.splat(sum4(sum));
    for (let i = 0; i < cols; i += 4) {
      const at = row + ((<usize>i) << 2);
      const above = f32x4.sub(v128.load(dy + at), total);
      storeWords(dx + at, f32x4.mul(v128.load(y + at), above), cols - i);
    }
  }
}

/** dx[r][c] = dy − e^y·Σ_c dy, y = log softmax; otherwise as softmaxGradient. */
export function logSoftmaxGradient(dx: usize, dy: usize, y: usize, cols: i32, begin: i32, end: i32): void {
  const zero = f32x4.splat(0);
  for (let r = begin; r < end; r++) {
    const row = (<usize>(r * cols)) << 2;
    let sum = zero;
    for (let i = 0; i < cols; i += 4)
      sum = f32x4.add(sum, head4(v128.load(dy + row + ((<usize>i) << 2)), zero, cols - i));
    const total = f32x4.splat(sum4(sum));
    for (let i = 0; i < cols; i += 4) {
      const at = row + ((<usize>i) << 2);
      const share = f32x4.mul(exp(v128.load(y + at)), total);
      storeWords(dx + at, f32x4.sub(v128.load(dy + at), share), cols - i);
    }
  }
}
