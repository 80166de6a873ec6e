// Activation functions, f32, elements begin to end; y may be x. All lanes run the same code, so an element's bits
// do not depend on where a range is split. Bounds on the error are checked in test/kernels/activations.test.ts.

import { erf } from "../lanes/erf";
import { expm1, onePlusExpNeg } from "../lanes/exp";
import { beforeBounds, bounded } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";
import { tanh as tanhLanes } from "../lanes/tanh";

/** y = min(max(x, lo), hi), ReLU with 0 and ∞; NaN stays NaN. */
export function clip(y: usize, x: usize, lo: f32, hi: f32, begin: i32, end: i32): void {
  const before = beforeBounds(lo);
  const low = f32x4.splat(lo);
  const high = f32x4.splat(hi + <f32>0);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), bounded(v, before, low, high), end - i);
  }
}

/** clip between the numbers at lo and hi, which may be 0: no bound. */
export function clipBetween(y: usize, x: usize, lo: usize, hi: usize, begin: i32, end: i32): void {
  clip(y, x, lo ? load<f32>(lo) : -Infinity, hi ? load<f32>(hi) : Infinity, begin, end);
}

/** y = x where x ≥ 0, else alpha·x. */
export function leakyRelu(y: usize, x: usize, alpha: f32, begin: i32, end: i32): void {
  const slope = f32x4.splat(alpha);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    const low = f32x4.mul(v, slope);
    storeWords(y + ((<usize>i) << 2), v128.bitselect(low, v, f32x4.lt(v, f32x4.splat(0))), end - i);
  }
}

/** y = x where x > 0, else alpha·(e^x − 1). */
export function elu(y: usize, x: usize, alpha: f32, begin: i32, end: i32): void {
  const scale = f32x4.splat(alpha);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    const low = f32x4.mul(scale, expm1(v));
    storeWords(y + ((<usize>i) << 2), v128.bitselect(v, low, f32x4.gt(v, f32x4.splat(0))), end - i);
  }
}

/** y = σ(x) = 1 / (1 + e^−x). */
export function sigmoid(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), f32x4.div(f32x4.splat(1), onePlusExpNeg(v)), end - i);
  }
}

/** y = x·σ(x) = x / (1 + e^−x). */
export function silu(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), f32x4.div(v, onePlusExpNeg(v)), end - i);
  }
}

/** y = tanh x. */
export function tanh(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    storeWords(y + ((<usize>i) << 2), tanhLanes(v), end - i);
  }
}

/** y = x/2·(1 + erf(x / √2)). */
export function gelu(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    const e = erf(f32x4.mul(v, f32x4.splat(0.7071067811865476)));
    const half = f32x4.mul(v, f32x4.splat(0.5));
    storeWords(y + ((<usize>i) << 2), f32x4.mul(half, f32x4.add(f32x4.splat(1), e)), end - i);
  }
}

/** y = x/2·(1 + tanh u) = x·σ(2u), u = √(2/π)·(x + 0.044715·x³). */
export function geluTanh(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    const cubic = f32x4.mul(f32x4.mul(v, v), f32x4.splat(0.044715));
    const u = f32x4.mul(f32x4.mul(v, f32x4.add(f32x4.splat(1), cubic)), f32x4.splat(1.5957691216057308));
    storeWords(y + ((<usize>i) << 2), f32x4.div(v, onePlusExpNeg(u)), end - i);
  }
}

/** y = min(max(alpha·x + beta, 0), 1). */
export function hardSigmoid(y: usize, x: usize, alpha: f32, beta: f32, begin: i32, end: i32): void {
  const slope = f32x4.splat(alpha);
  const shift = f32x4.splat(beta);
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    const t = f32x4.add(f32x4.mul(v, slope), shift);
    storeWords(y + ((<usize>i) << 2), bounded(t, f32x4.splat(0), f32x4.splat(0), f32x4.splat(1)), end - i);
  }
}

/** y = x·min(max(x/6 + 1/2, 0), 1). */
export function hardSwish(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = begin; i < end; i += 4) {
    const v = v128.load(x + ((<usize>i) << 2));
    const t = f32x4.add(f32x4.mul(v, f32x4.splat(1.0 / 6.0)), f32x4.splat(0.5));
    storeWords(
      y + ((<usize>i) << 2),
      f32x4.mul(v, bounded(t, f32x4.splat(0), f32x4.splat(0), f32x4.splat(1))),
      end - i,
    );
  }
}
