// States times weights of floats.

import { gemm } from "../f32/gemm";

/** Weights from packWeights; bias 0: none; scratch: gemmScratchBytes(rows, k). */
export class FloatProduct {
  weights: usize = 0;
  bias: usize = 0;
  scratch: usize = 0;
  n: i32 = 0;
  k: i32 = 0;

  multiply(to: usize, x: usize, ldx: i32, rows: i32): void {
    const n = this.n;
    gemm(to, n, x, ldx, this.weights, this.bias, this.scratch, n, this.k, -Infinity, Infinity, 0, rows);
  }
}

/** Writes a product to `at`. */
export function floatProduct(
  at: usize,
  weights: usize,
  bias: usize,
  scratch: usize,
  n: i32,
  k: i32,
): FloatProduct {
  const product = changetype<FloatProduct>(at);
  product.weights = weights;
  product.bias = bias;
  product.scratch = scratch;
  product.n = n;
  product.k = k;
  return product;
}
