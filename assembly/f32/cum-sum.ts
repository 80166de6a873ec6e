// Running sums along one axis.

import { storeWords } from "../lanes/simd";

/**
 * y[o][k][i] = Σ x[o][j][i] over j ≤ k: x and y [outer][n][inner], f32, or i32 where `integers` is 1. exclusive: j < k; reverse: j ≥ k, or
 * j > k. Range: outer.
 *
 * Each sum adds the next element to the one before it, from the first element on, or from the last where reverse is 1. A sum of
 * integers keeps its low 32 bits. y is not x.
 */
export function cumSum(
  y: usize,
  x: usize,
  n: i32,
  inner: i32,
  exclusive: i32,
  reverse: i32,
  integers: i32,
  begin: i32,
  end: i32,
): void {
  const row = inner << 2;
  const step = reverse ? -row : row;
  for (let o = begin; o < end; o++) {
    const first = (reverse ? o * n + n - 1 : o * n) * row;
    for (let i = 0; i < inner; i += 4) {
      let sum = i32x4.splat(0);
      let at = first + (i << 2);
      for (let k = 0; k < n; k++) {
        const v = v128.load(x + at);
        const next = integers ? i32x4.add(sum, v) : f32x4.add(sum, v);
        storeWords(y + at, exclusive ? sum : next, inner - i);
        sum = next;
        at += step;
      }
    }
  }
}
