// Gradients of layer normalization, with x̂ = (x − m)·s, m = mean x[r], s = 1 / √(var x[r] + epsilon).

import { inverseDeviation, meanOf } from "../f32/moments";
import { head4, sum4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";

/**
 * dx[r][c] = s·((g − Σ g / cols) − x̂·(Σ g·x̂ / cols)), g = dy·scale, sums over c; mean[r] = m, inverse[r] = s.
 *
 * Rows of `cols`, dense. Lane i mod 4 sums every fourth element, then (l0 + l2) + (l1 + l3). Range: rows. dx may be dy.
 */
export function layerNormalizationGradient(
  dx: usize,
  mean: usize,
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
    const m = meanOf(x + row, cols);
    const s = inverseDeviation(x + row, cols, m, epsilon);
    store<f32>(mean + ((<usize>r) << 2), m);
    store<f32>(inverse + ((<usize>r) << 2), s);
    const center = f32x4.splat(m);
    const factor = f32x4.splat(s);
    let sum = zero;
    let along = zero;
    for (let i = 0; i < cols; i += 4) {
      const at = (<usize>i) << 2;
      const g = f32x4.mul(v128.load(dy + row + at), v128.load(scale + at));
      const n = f32x4.mul(f32x4.sub(v128.load(x + row + at), center), factor);
      sum = f32x4.add(sum, head4(g, zero, cols - i));
      along = f32x4.add(along, head4(f32x4.mul(g, n), zero, cols - i));
    }
    const level = f32x4.splat(sum4(sum) / <f32>cols);
    const slope = f32x4.splat(sum4(along) / <f32>cols);
    for (let i = 0; i < cols; i += 4) {
      const at = (<usize>i) << 2;
      const g = f32x4.mul(v128.load(dy + row + at), v128.load(scale + at));
      const n = f32x4.mul(f32x4.sub(v128.load(x + row + at), center), factor);
      const d = f32x4.sub(f32x4.sub(g, level), f32x4.mul(n, slope));
      storeWords(dx + row + at, f32x4.mul(factor, d), cols - i);
    }
  }
}

/**
 * dscale[c] = Σ_r dy[r][c]·x̂[r][c], r ascending, with mean and inverse of layerNormalizationGradient. Range: cols. mean 0: none, as
 * rmsNormalizationGradient has none.
 */
export function layerNormalizationScaleGradient(
  dscale: usize,
  dy: usize,
  x: usize,
  mean: usize,
  inverse: usize,
  rows: i32,
  cols: i32,
  begin: i32,
  end: i32,
): void {
  const step = (<usize>cols) << 2;
  for (let c = begin; c < end; c += 4) {
    let at = (<usize>c) << 2;
    let sum = f32x4.splat(0);
    for (let r = 0; r < rows; r++, at += step) {
      const m = mean ? v128.load32_splat(mean + ((<usize>r) << 2)) : f32x4.splat(0);
      const s = v128.load32_splat(inverse + ((<usize>r) << 2));
      const n = f32x4.mul(f32x4.sub(v128.load(x + at), m), s);
      sum = f32x4.add(sum, f32x4.mul(v128.load(dy + at), n));
    }
    storeWords(dscale + ((<usize>c) << 2), sum, end - c);
  }
}
