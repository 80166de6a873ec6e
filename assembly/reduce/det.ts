// Determinants of matrices.

import { determinant } from "../lanes/determinant";

/** y[m] = det x[m], f32 [matrices][n][n]. Range: matrices. scratch: 4 · n² bytes. */
export function det(y: usize, x: usize, scratch: usize, n: i32, begin: i32, end: i32): void {
  const row = (<usize>n) << 2;
  for (let m = begin; m < end; m++) {
    memory.copy(scratch, x + <usize>m * <usize>n * row, <usize>n * row);
    store<f32>(y + ((<usize>m) << 2), determinant(scratch, n));
  }
}
