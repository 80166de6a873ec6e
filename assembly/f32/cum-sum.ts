// Running sums and products along one axis.

import { storeWords } from "../lanes/simd";

/** Columns whose last sums stay in the nearest cache while the next ones are made. */
const STRIP: i32 = 1024;

class Running {
  /** Of elements that lie one behind the other, `step` bytes on. */
  @inline
  static row<T>(y: usize, x: usize, n: i32, step: i32, exclusive: i32, product: bool): void {
    let real: f32 = product ? 1 : 0;
    let whole: i32 = product ? 1 : 0;
    for (let k = 0; k < n; k++, x += step, y += step) {
      if (isFloat<T>()) {
        const next = product ? real * load<f32>(x) : real + load<f32>(x);
        store<f32>(y, exclusive ? real : next);
        real = next;
      } else {
        const next = product ? whole * load<i32>(x) : whole + load<i32>(x);
        store<i32>(y, exclusive ? whole : next);
        whole = next;
      }
    }
  }

  /** Of `cols` columns in rows that are `step` bytes apart. */
  @inline
  static columns<T>(y: usize, x: usize, n: i32, cols: i32, step: i32, exclusive: i32, product: bool): void {
    const start = !product ? i32x4.splat(0) : isFloat<T>() ? f32x4.splat(1) : i32x4.splat(1);
    for (let k = 0; k < n; k++, x += step, y += step) {
      const next = exclusive ? x - step : x;
      for (let i = 0; i < cols; i += 4) {
        const at = (<usize>i) << 2;
        const before = k ? v128.load(y - step + at) : start;
        const v = exclusive && k == 0 ? start : v128.load(next + at);
        storeWords(y + at, Running.join<T>(before, v, product), cols - i);
      }
    }
  }

  @inline
  static join<T>(a: v128, b: v128, product: bool): v128 {
    if (isFloat<T>()) return product ? f32x4.mul(a, b) : f32x4.add(a, b);
    return product ? i32x4.mul(a, b) : i32x4.add(a, b);
  }

  @inline
  static all<T>(
    y: usize,
    x: usize,
    n: i32,
    inner: i32,
    exclusive: i32,
    reverse: i32,
    product: bool,
    begin: i32,
    end: i32,
  ): void {
    const row = inner << 2;
    const step = reverse ? -row : row;
    for (let o = begin; o < end; o++) {
      const first = (reverse ? o * n + n - 1 : o * n) * row;
      if (inner == 1) Running.row<T>(y + first, x + first, n, step, exclusive, product);
      else
        for (let i = 0; i < inner; i += STRIP) {
          const at = first + (i << 2);
          Running.columns<T>(
            y + at,
            x + at,
            n,
            inner - i < STRIP ? inner - i : STRIP,
            step,
            exclusive,
            product,
          );
        }
    }
  }
}

/**
 * y[o][k][i] = Σ x[o][j][i] over j ≤ k: x and y [outer][n][inner], f32, or i32 where `integers` is 1. exclusive: j < k; reverse: j ≥ k, or
 * j > k. Range: outer.
 *
 * Each sum adds the next element to the one before it, from the first element on, or from the last where reverse is 1. A sum of
 * integers keeps its low 32 bits. y is not x.
 */
export function cumSum(
  y: usize,
  x: usize,
  n: i32,
  inner: i32,
  exclusive: i32,
  reverse: i32,
  integers: i32,
  begin: i32,
  end: i32,
): void {
  if (integers) Running.all<i32>(y, x, n, inner, exclusive, reverse, false, begin, end);
  else Running.all<f32>(y, x, n, inner, exclusive, reverse, false, begin, end);
}

/** As cumSum, products in place of sums. */
export function cumProd(
  y: usize,
  x: usize,
  n: i32,
  inner: i32,
  exclusive: i32,
  reverse: i32,
  integers: i32,
  begin: i32,
  end: i32,
): void {
  if (integers) Running.all<i32>(y, x, n, inner, exclusive, reverse, true, begin, end);
  else Running.all<f32>(y, x, n, inner, exclusive, reverse, true, begin, end);
}
