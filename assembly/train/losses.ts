// Losses: their value and gradient in one pass a row. A batch's loss is the sum of its rows' (sumRows adds them in
// order), because each row's is divided by the number of rows already. Sums over a row are as in softmax.

import { exp } from "../lanes/exp";
import { head4, largest, sum4 } from "../lanes/lanes";
import { log } from "../lanes/log";
import { storeWords } from "../lanes/simd";

class Rows {
  /** Writes the first `count` of four elements of a gradient, or adds them to what is there. */
  @inline
  static put(to: usize, v: v128, isAdded: i32, count: i32): void {
    storeWords(to, isAdded ? f32x4.add(v128.load(to), v) : v, count);
  }

  /** (x − shift) · factor of four logits. */
  @inline
  static scaled(x: usize, shift: v128, factor: v128): v128 {
    return f32x4.mul(f32x4.sub(v128.load(x), shift), factor);
  }
}

/** Σ e^((x − shift) · factor). */
function sumExp(x: usize, cols: i32, shift: v128, factor: v128): f32 {
  let sum = f32x4.splat(0);
  for (let i = 0; i < cols; i += 4) {
    const e = exp(Rows.scaled(x + ((<usize>i) << 2), shift, factor));
    sum = f32x4.add(sum, head4(e, f32x4.splat(0), cols - i));
  }
  return sum4(sum);
}

/** Σ (x − shift). */
function sumDistances(x: usize, cols: i32, shift: v128): f32 {
  let sum = f32x4.splat(0);
  for (let i = 0; i < cols; i += 4) {
    const v = f32x4.sub(v128.load(x + ((<usize>i) << 2)), shift);
    sum = f32x4.add(sum, head4(v, f32x4.splat(0), cols - i));
  }
  return sum4(sum);
}

function logOf(x: f32): f32 {
  return f32x4.extract_lane(log(f32x4.splat(x)), 0);
}

/**
 * loss[r] = −weight / rows · Σ_c p[c] · ln softmax(x[r])[c], dx[r] = weight / rows · (softmax(x[r]) − p);
 * p[c] = smoothing / cols, and 1 − smoothing more where c is the label. Range: rows.
 *
 * loss f32 [rows], dx and x f32 [rows][cols], labels i32 [rows]. dx is written, or added to where isAdded is not 0; it
 * may be x. A row whose label names no column, such as −1, has no loss and no gradient; `rows` counts those that have.
 */
export function crossEntropy(
  loss: usize,
  dx: usize,
  x: usize,
  labels: usize,
  cols: i32,
  rows: i32,
  smoothing: f32,
  weight: f32,
  isAdded: i32,
  begin: i32,
  end: i32,
): void {
  const one = f32x4.splat(1);
  const others = smoothing / <f32>cols;
  const base = f32x4.splat(others);
  const own = f32x4.splat(others + (1 - smoothing));
  for (let r = begin; r < end; r++) {
    const from = x + ((<usize>(r * cols)) << 2);
    const to = dx + ((<usize>(r * cols)) << 2);
    const label = load<i32>(labels + ((<usize>r) << 2));
    const isCounted = <u32>label < <u32>cols;
    const share: f32 = isCounted ? weight / <f32>rows : 0;
    const m = largest(from, cols);
    const sum = sumExp(from, cols, m, one);
    const logit = load<f32>(from + (isCounted ? (<usize>label) << 2 : 0)) - f32x4.extract_lane(m, 0);
    let value = logOf(sum) - (1 - smoothing) * logit;
    if (smoothing != 0) value -= others * sumDistances(from, cols, m);
    store<f32>(loss + ((<usize>r) << 2), share * value);
    const total = f32x4.splat(sum);
    const factor = f32x4.splat(share);
    for (let i = 0; i < cols; i += 4) {
      const at = (<usize>i) << 2;
      const p = f32x4.div(exp(Rows.scaled(from + at, m, one)), total);
      const isLabel = i32x4.eq(i32x4(0, 1, 2, 3), i32x4.splat(label - i));
      const target = v128.bitselect(own, base, isLabel);
      Rows.put(to + at, f32x4.mul(factor, f32x4.sub(p, target)), isAdded, cols - i);
    }
  }
}

/**
 * loss[r] = weight·T² / rows · KL(p ‖ q), dx[r] = weight·T / rows · (q − p); p = softmax(t[r] / T), q = softmax(x[r] / T).
 * Range: rows.
 *
 * Distillation: t are the teacher's logits, f32 [rows][cols] as x. loss and dx as crossEntropy.
 */
export function divergence(
  loss: usize,
  dx: usize,
  x: usize,
  t: usize,
  cols: i32,
  rows: i32,
  temperature: f32,
  weight: f32,
  isAdded: i32,
  begin: i32,
  end: i32,
): void {
  const by = f32x4.splat(1 / temperature);
  const share = (weight * temperature) / <f32>rows;
  const factor = f32x4.splat(share);
  for (let r = begin; r < end; r++) {
    const row = (<usize>(r * cols)) << 2;
    const mx = largest(x + row, cols);
    const mt = largest(t + row, cols);
    const sumX = sumExp(x + row, cols, mx, by);
    const sumT = sumExp(t + row, cols, mt, by);
    const totalX = f32x4.splat(sumX);
    const totalT = f32x4.splat(sumT);
    const logs = f32x4.splat(logOf(sumX) - logOf(sumT));
    let value = f32x4.splat(0);
    for (let i = 0; i < cols; i += 4) {
      const at = row + ((<usize>i) << 2);
      const zx = Rows.scaled(x + at, mx, by);
      const zt = Rows.scaled(t + at, mt, by);
      const q = f32x4.div(exp(zx), totalX);
      const p = f32x4.div(exp(zt), totalT);
      // Where p is 0, so is its part, though the logit may be −∞.
      const part = f32x4.mul(p, f32x4.add(f32x4.sub(zt, zx), logs));
      const counted = v128.and(part, f32x4.ne(p, f32x4.splat(0)));
      value = f32x4.add(value, head4(counted, f32x4.splat(0), cols - i));
      Rows.put(dx + at, f32x4.mul(factor, f32x4.sub(q, p)), isAdded, cols - i);
    }
    store<f32>(loss + ((<usize>r) << 2), share * temperature * sum4(value));
  }
}

/**
 * loss[r] = share · Σ_c (x[r][c] − target[r][c])², dx = 2·share · (x − target), share = weight / (rows·cols). Range: rows.
 *
 * target f32 [rows][cols] as x. loss and dx as crossEntropy.
 */
export function meanSquare(
  loss: usize,
  dx: usize,
  x: usize,
  target: usize,
  cols: i32,
  rows: i32,
  weight: f32,
  isAdded: i32,
  begin: i32,
  end: i32,
): void {
  const share = weight / (<f32>rows * <f32>cols);
  const factor = f32x4.splat(2 * share);
  for (let r = begin; r < end; r++) {
    const row = (<usize>(r * cols)) << 2;
    let sum = f32x4.splat(0);
    for (let i = 0; i < cols; i += 4) {
      const at = row + ((<usize>i) << 2);
      const d = f32x4.sub(v128.load(x + at), v128.load(target + at));
      sum = f32x4.add(sum, head4(f32x4.mul(d, d), f32x4.splat(0), cols - i));
      Rows.put(dx + at, f32x4.mul(factor, d), isAdded, cols - i);
    }
    store<f32>(loss + ((<usize>r) << 2), share * sum4(sum));
  }
}
