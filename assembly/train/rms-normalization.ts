// Gradient of normalization by the root mean square, with x̂ = x·s, s = 1 / √(mean x[r]² + epsilon).

import { inverseDeviation } from "../f32/moments";
import { head4, sum4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";

/**
 * dx[r][c] = s·(g − x̂·(Σ g·x̂ / cols)), g = dy·scale, sums over c; inverse[r] = s.
 *
 * Rows of `cols`, dense. Lane i mod 4 sums every fourth element, then (l0 + l2) + (l1 + l3). Range: rows. dx may be dy.
 */
export function rmsNormalizationGradient(
  dx: usize,
  inverse: usize,
  dy: usize,
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
    const s = inverseDeviation(x + row, cols, 0, epsilon);
    store<f32>(inverse + ((<usize>r) << 2), s);
    const factor = f32x4.splat(s);
    let along = zero;
    for (let i = 0; i < cols; i += 4) {
      const at = (<usize>i) << 2;
      const g = f32x4.mul(v128.load(dy + row + at), v128.load(scale + at));
      const n = f32x4.mul(v128.load(x + row + at), factor);
      along = f32x4.add(along, head4(f32x4.mul(g, n), zero, cols - i));
    }
    const slope = f32x4.splat(sum4(along) / <f32>cols);
    for (let i = 0; i < cols; i += 4) {
      const at = (<usize>i) << 2;
      const g = f32x4.mul(v128.load(dy + row + at), v128.load(scale + at));
      const n = f32x4.mul(v128.load(x + row + at), factor);
      storeWords(dx + row + at, f32x4.mul(factor, f32x4.sub(g, f32x4.mul(n, slope))), cols - i);
    }
  }
}
