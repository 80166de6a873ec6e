// Weighted windows along one axis: what resizing with interpolation is.

import { storeWords } from "../lanes/simd";

function term(x: usize, weights: usize): v128 {
  return f32x4.mul(v128.load(x), v128.load32_splat(weights));
}

/** y[i] = Σ weights[t] · x[t·inner + i], i < inner, t ascending. */
function blend(y: usize, x: usize, weights: usize, taps: i32, inner: i32): void {
  const step = (<usize>inner) << 2;
  if (taps == 2) {
    const a = v128.load32_splat(weights);
    const b = v128.load32_splat(weights, 4);
    for (; inner > 0; inner -= 4, x += 16, y += 16) {
      storeWords(y, f32x4.add(f32x4.mul(v128.load(x), a), f32x4.mul(v128.load(x + step), b)), inner);
    }
    return;
  }
  for (; inner > 0; inner -= 4, x += 16, y += 16) {
    let sum = term(x, weights);
    let p = x + step;
    for (let t = 1; t < taps; t++, p += step) sum = f32x4.add(sum, term(p, weights + ((<usize>t) << 2)));
    storeWords(y, sum, inner);
  }
}

/** Two windows of two, multiplied by their weights. */
function pair(x: usize, starts: usize, weights: usize): v128 {
  const v = v128.load64_zero(x + ((<usize>load<i32>(starts)) << 2));
  return f32x4.mul(v128.load64_lane(x + ((<usize>load<i32>(starts, 4)) << 2), v, 1), v128.load(weights));
}

/** A window of four, multiplied by its weights. */
function four(x: usize, starts: usize, weights: usize): v128 {
  return f32x4.mul(v128.load(x + ((<usize>load<i32>(starts)) << 2)), v128.load(weights));
}

/** y[j] = Σ weights[j·taps + t] · x[starts[j] + t], j < n, t ascending. */
function blendRow(y: usize, x: usize, starts: usize, weights: usize, taps: i32, n: i32): void {
  if (taps == 2) {
    for (; n >= 4; n -= 4, starts += 16, weights += 32, y += 16) {
      const a = pair(x, starts, weights);
      const b = pair(x, starts + 8, weights + 16);
      v128.store(y, f32x4.add(i32x4.shuffle(a, b, 0, 2, 4, 6), i32x4.shuffle(a, b, 1, 3, 5, 7)));
    }
  } else if (taps == 4) {
    for (; n >= 4; n -= 4, starts += 16, weights += 64, y += 16) {
      const a = four(x, starts, weights);
      const b = four(x, starts + 4, weights + 16);
      const c = four(x, starts + 8, weights + 32);
      const d = four(x, starts + 12, weights + 48);
      const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
      const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
      const ef = i32x4.shuffle(a, b, 2, 6, 3, 7);
      const gh = i32x4.shuffle(c, d, 2, 6, 3, 7);
      const sum = f32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
      v128.store(y, f32x4.add(f32x4.add(sum, i64x2.shuffle(ef, gh, 0, 2)), i64x2.shuffle(ef, gh, 1, 3)));
    }
  }
  for (; n > 0; n--, starts += 4, y += 4) {
    let p = x + ((<usize>load<i32>(starts)) << 2);
    let sum: f32 = load<f32>(p) * load<f32>(weights);
    weights += 4;
    for (let t = 1; t < taps; t++, weights += 4) {
      p += 4;
      sum += load<f32>(p) * load<f32>(weights);
    }
    store<f32>(y, sum);
  }
}

/**
 * y[o, j, i] = Σ weights[j·taps + t] · x[o, starts[j] + t, i], t < taps ascending: y [outer][to][inner], x [outer][from][inner]; starts i32
 * [to], windows within x; taps ≥ 1. Range: outer.
 */
export function interpolate(
  y: usize,
  x: usize,
  starts: usize,
  weights: usize,
  taps: i32,
  from: i32,
  to: i32,
  inner: i32,
  begin: i32,
  end: i32,
): void {
  const row = (<usize>inner) << 2;
  y += <usize>(begin * to) * row;
  x += <usize>(begin * from) * row;
  for (let o = begin; o < end; o++, y += to * row, x += from * row) {
    if (inner == 1) {
      blendRow(y, x, starts, weights, taps, to);
      continue;
    }
    for (let j = 0; j < to; j++) {
      const source = x + <usize>load<i32>(starts + ((<usize>j) << 2)) * row;
      blend(y + <usize>j * row, source, weights + ((<usize>(j * taps)) << 2), taps, inner);
    }
  }
}
