// Products of stacks of matrices that are both computed: the right one is packed in each run.

import { gemm, packWeights } from "./gemm";
import { packedBytes } from "./sizes";

/**
 * y[i][r][c] = min(max(Σ_k a[i·stepA][r][k]·b[i·stepB][k][c], lo), hi), r < m, c < n; steps in elements, 0 to repeat.
 *
 * Matrices dense: a [m][k], b [k][n]. Range: rows of y, all of a stack. scratch: matMulScratchBytes(m, n, k), one packed b and
 * what gemm takes. Sums as in gemm.
 */
export function matMul(
  y: usize,
  a: usize,
  b: usize,
  scratch: usize,
  m: i32,
  n: i32,
  k: i32,
  stepA: i32,
  stepB: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const rest = scratch + packedBytes(n, k);
  for (let at = begin, rows = 0; at < end; at += rows) {
    const i = at / m;
    const row = at - i * m;
    rows = min(m - row, end - at);
    packWeights(scratch, b + ((<usize>(i * stepB)) << 2), n, 1, k, 1, 0, n);
    const left = a + ((<usize>(i * stepA + row * k)) << 2);
    gemm(y + ((<usize>(at * n)) << 2), n, left, k, scratch, 0, rest, n, k, lo, hi, 0, rows);
  }
}
