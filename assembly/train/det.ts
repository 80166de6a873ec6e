// Gradients of determinants.

import { determinant } from "../lanes/determinant";

/**
 * dx[m] = dy[m] · the cofactors of x[m], f32 [matrices][n][n]. Range: matrices. scratch: 4 · n² bytes.
 *
 * The cofactor of row i and column j is the determinant with 1 at j in row i and 0 elsewhere in it. It is there for matrices without
 * an inverse, too. A matrix takes n⁵ / 3 multiply-adds.
 */
export function detGradient(
  dx: usize,
  dy: usize,
  x: usize,
  scratch: usize,
  n: i32,
  begin: i32,
  end: i32,
): void {
  const row = (<usize>n) << 2;
  const size = <usize>n * row;
  for (let m = begin; m < end; m++) {
    const from = x + <usize>m * size;
    const gradient = load<f32>(dy + ((<usize>m) << 2));
    for (let at: usize = 0; at < size; at += 4) {
      memory.copy(scratch, from, size);
      memory.fill(scratch + (at / row) * row, 0, row);
      store<f32>(scratch + at, 1);
      store<f32>(dx + <usize>m * size + at, gradient * determinant(scratch, n));
    }
  }
}
