// Normalization of rows by their root mean square. Lane i mod 4 sums the squares i, i + 4, …, then (l0 + l2) + (l1 + l3).

import { head4, sum4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";

/**
 * y[r][c] = x[r][c]·s·scale[c], s = 1 / √(Σ x[r]² / cols + epsilon).
 *
 * Rows of `cols`, dense. Range: rows. y may be x.
 */
export function rmsNormalization(
  y: usize,
  x: usize,
  scale: usize,
  cols: i32,
  epsilon: f32,
  begin: i32,
  end: i32,
): void {
  const zero = f32x4.splat(0);
  for (let r = begin; r < end; r++) {
    const row = (<usize>(r * cols)) << 2;
    let sum = zero;
    for (let i = 0; i < cols; i += 4) {
      const v = v128.load(x + row + ((<usize>i) << 2));
      sum = f32x4.add(sum, head4(f32x4.mul(v, v), zero, cols - i));
    }
    const factor = f32x4.splat(<f32>1 / sqrt<f32>(sum4(sum) / <f32>cols + epsilon));
    for (let i = 0; i < cols; i += 4) {
      const at = (<usize>i) << 2;
      const v = f32x4.mul(v128.load(x + row + at), factor);
      storeWords(y + row + at, f32x4.mul(v, v128.load(scale + at)), cols - i);
    }
  }
}
