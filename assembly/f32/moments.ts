// Mean and deviation of a row, in two passes. Lane i mod 4 sums the elements i, i + 4, …, then (l0 + l2) + (l1 + l3).

import { head4, sum4 } from "../lanes/lanes";

/** (Σ x) / n. */
export function meanOf(x: usize, n: i32): f32 {
  const zero = f32x4.splat(0);
  let sum = zero;
  for (let i = 0; i < n; i += 4) {
    sum = f32x4.add(sum, head4(v128.load(x + ((<usize>i) << 2)), zero, n - i));
  }
  return sum4(sum) / <f32>n;
}

/** 1 / √(Σ (x − mean)² / n + epsilon). */
export function inverseDeviation(x: usize, n: i32, mean: f32, epsilon: f32): f32 {
  const zero = f32x4.splat(0);
  const m = f32x4.splat(mean);
  let sum = zero;
  for (let i = 0; i < n; i += 4) {
    const d = f32x4.sub(v128.load(x + ((<usize>i) << 2)), m);
    sum = f32x4.add(sum, head4(f32x4.mul(d, d), zero, n - i));
  }
  return <f32>1 / sqrt<f32>(sum4(sum) / <f32>n + epsilon);
}
