// What a step does to its parameters, element by element, with PyTorch's meaning of every number; and the norm that
// gradients are clipped by.

import { head4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";

/**
 * g' = g + weightDecay·w; b = factor·b + g'; w −= lr · (nesterov ? g' + factor·b : b). Elements begin to end.
 *
 * w, g and the momentum buffer b are f32; b starts as zeros, 0 is none: w −= lr·g'.
 */
export function sgd(
  w: usize,
  momentum: usize,
  g: usize,
  lr: f32,
  factor: f32,
  weightDecay: f32,
  nesterov: i32,
  begin: i32,
  end: i32,
): void {
  const rate = f32x4.splat(lr);
  const keep = f32x4.splat(factor);
  const decay = f32x4.splat(weightDecay);
  for (let i = begin; i < end; i += 4) {
    const at = (<usize>i) << 2;
    const old = v128.load(w + at);
    const slope = f32x4.add(v128.load(g + at), f32x4.mul(decay, old));
    let d = slope;
    if (momentum) {
      const b = f32x4.add(f32x4.mul(keep, v128.load(momentum + at)), slope);
      storeWords(momentum + at, b, end - i);
      d = nesterov ? f32x4.add(slope, f32x4.mul(keep, b)) : b;
    }
    storeWords(w + at, f32x4.sub(old, f32x4.mul(rate, d)), end - i);
  }
}

/**
 * w ← (1 − lr·weightDecay)·w; m ← m + (1 − beta1)·(g − m); v ← beta2·v + (1 − beta2)·g²;
 * w −= lr / correction1 · m / (√v / √correction2 + eps). Elements begin to end.
 *
 * w, m, v, g f32; m and v start as zeros. correction = 1 − betaᵗ in step t, from 1 on. Loshchilov & Hutter 2019. What is
 * computed of scalars alone is in f64 and rounded once: 1 − beta in f32 would be wrong in its fifth digit.
 */
export function adamw(
  w: usize,
  m: usize,
  v: usize,
  g: usize,
  lr: f64,
  beta1: f64,
  beta2: f64,
  eps: f64,
  weightDecay: f64,
  correction1: f64,
  correction2: f64,
  begin: i32,
  end: i32,
): void {
  const decay = f32x4.splat(<f32>(1 - lr * weightDecay));
  const share1 = f32x4.splat(<f32>(1 - beta1));
  const keep2 = f32x4.splat(<f32>beta2);
  const share2 = f32x4.splat(<f32>(1 - beta2));
  const root = f32x4.splat(<f32>sqrt<f64>(correction2));
  const least = f32x4.splat(<f32>eps);
  const rate = f32x4.splat(<f32>(lr / correction1));
  for (let i = begin; i < end; i += 4) {
    const at = (<usize>i) << 2;
    const slope = v128.load(g + at);
    const old = v128.load(m + at);
    const mean = f32x4.add(old, f32x4.mul(share1, f32x4.sub(slope, old)));
    const square = f32x4.mul(share2, f32x4.mul(slope, slope));
    const power = f32x4.add(f32x4.mul(keep2, v128.load(v + at)), square);
    const size = f32x4.add(f32x4.div(f32x4.sqrt(power), root), least);
    const step = f32x4.mul(rate, f32x4.div(mean, size));
    storeWords(m + at, mean, end - i);
    storeWords(v + at, power, end - i);
    storeWords(w + at, f32x4.sub(f32x4.mul(decay, v128.load(w + at)), step), end - i);
  }
}

/**
 * y[r] = Σ_c x[r][c]². x f32 [rows][cols], dense. Range: rows.
 *
 * Lane i mod 4 sums the elements i, i + 4, … in f64, then (l0 + l2) + (l1 + l3), rounded once.
 */
export function sumSquares(y: usize, x: usize, cols: i32, begin: i32, end: i32): void {
  for (let r = begin; r < end; r++) {
    const from = x + ((<usize>(r * cols)) << 2);
    let low = f64x2.splat(0);
    let high = low;
    for (let i = 0; i < cols; i += 4) {
      const v = head4(v128.load(from + ((<usize>i) << 2)), f32x4.splat(0), cols - i);
      const a = f64x2.promote_low_f32x4(v);
      const b = f64x2.promote_low_f32x4(i64x2.shuffle(v, v, 1, 1));
      low = f64x2.add(low, f64x2.mul(a, a));
      high = f64x2.add(high, f64x2.mul(b, b));
    }
    const sum = f64x2.add(low, high);
    const total = f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
    store<f32>(y + ((<usize>r) << 2), <f32>total);
  }
}

/**
 * factor = min(1, most / (√Σ squares + 10⁻⁶)): what all gradients are multiplied with, so that their norm is at most
 * `most`. Range: the one factor.
 *
 * squares f32 [count], one sumSquares a gradient, added in order in f64.
 */
export function clipFactor(factor: usize, squares: usize, count: i32, most: f32, begin: i32, end: i32): void {
  if (begin >= end) return;
  let sum: f64 = 0;
  for (let i = 0; i < count; i++) sum += load<f32>(squares + ((<usize>i) << 2));
  store<f32>(factor, <f32>min<f64>(1, <f64>most / (sqrt<f64>(sum) + 1e-6)));
}

/** w = min(max(w, lo), hi), and lo where it is NaN. Elements begin to end. */
export function keepWithin(w: usize, lo: f32, hi: f32, begin: i32, end: i32): void {
  const low = f32x4.splat(lo);
  const high = f32x4.splat(hi);
  for (let i = begin; i < end; i += 4) {
    const at = w + ((<usize>i) << 2);
    storeWords(at, f32x4.pmin(high, f32x4.pmax(low, v128.load(at))), end - i);
  }
}
