// Layer normalization over rows, its statistics by ../moments.

import { storeWords } from "../lanes/simd";
import { inverseDeviation, meanOf } from "./moments";

/**
 * y[r][c] = (x[r][c] − m)·s·scale[c] + bias[c], m = mean x[r], s = 1 / √(var x[r] + epsilon); mean[r] = m, inverse[r] = s.
 *
 * Rows of `cols`, dense; mean, inverse and bias 0: none. Range: rows. y may be x.
 */
export function layerNormalization(
  y: usize,
  mean: usize,
  inverse: usize,
  x: usize,
  scale: usize,
  bias: usize,
  cols: i32,
  epsilon: f32,
  begin: i32,
  end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const row = (<usize>(r * cols)) << 2;
    const m = meanOf(x + row, cols);
    const s = inverseDeviation(x + row, cols, m, epsilon);
    if (mean) store<f32>(mean + ((<usize>r) << 2), m);
    if (inverse) store<f32>(inverse + ((<usize>r) << 2), s);
    const center = f32x4.splat(m);
    const factor = f32x4.splat(s);
    for (let i = 0; i < cols; i += 4) {
      const at = (<usize>i) << 2;
      let v = f32x4.mul(f32x4.sub(v128.load(x + row + at), center), factor);
      v = f32x4.mul(v, v128.load(scale + at));
      if (bias) v = f32x4.add(v, v128.load(bias + at));
      storeWords(y + row + at, v, cols - i);
    }
  }
}
