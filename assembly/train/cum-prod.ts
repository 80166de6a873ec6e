// Gradients of running products.

import { storeWords } from "../lanes/simd";

/**
 * dx[o][j][i] = before[o][j][i] · Σ dy[o][k][i] · Π x[o][l][i] over k ≥ j and j < l ≤ k: dx, dy, x and before [outer][n][inner], f32.
 * exclusive: k > j and l < k; reverse: the other way round along n. Range: outer.
 *
 * `before` holds the products of the elements before each. The sums are made from the last one on, each of the one after it, so that no
 * element is divided by.
 */
export function cumProdGradient(
  dx: usize,
  dy: usize,
  x: usize,
  before: usize,
  n: i32,
  inner: i32,
  exclusive: i32,
  reverse: i32,
  begin: i32,
  end: i32,
): void {
  const row = inner << 2;
  const step = reverse ? row : -row;
  for (let o = begin; o < end; o++) {
    const last = (reverse ? o * n : o * n + n - 1) * row;
    for (let i = 0; i < inner; i += 4) {
      let at = last + (i << 2);
      let next = f32x4.splat(0);
      for (let k = 0; k < n; k++, at += step) {
        const own = v128.load(dy + at);
        const sum = exclusive ? next : f32x4.add(own, next);
        const product = f32x4.mul(v128.load(x + at), sum);
        storeWords(dx + at, f32x4.mul(v128.load(before + at), sum), inner - i);
        next = exclusive ? f32x4.add(own, product) : product;
      }
    }
  }
}
