// Sum, difference, product and quotient with three levels of broadcasting.

import { storeWords } from "../lanes/simd";

const ADD: i32 = 0;
const SUB: i32 = 1;
const MUL: i32 = 2;
const DIV: i32 = 3;

/** Four elements, or one repeated. */
function operand(x: usize, i: i32, step: i32): v128 {
  return step ? v128.load(x + ((<usize>i) << 2)) : v128.load32_splat(x);
}

function within(v: v128, lo: v128, hi: v128): v128 {
  return f32x4.min(f32x4.max(v, lo), hi);
}

function addRow(y: usize, a: usize, as: i32, b: usize, bs: i32, n: i32, lo: v128, hi: v128): void {
  for (let i = 0; i < n; i += 4) {
    const v = f32x4.add(operand(a, i, as), operand(b, i, bs));
    storeWords(y + ((<usize>i) << 2), within(v, lo, hi), n - i);
  }
}

function subRow(y: usize, a: usize, as: i32, b: usize, bs: i32, n: i32, lo: v128, hi: v128): void {
  for (let i = 0; i < n; i += 4) {
    const v = f32x4.sub(operand(a, i, as), operand(b, i, bs));
    storeWords(y + ((<usize>i) << 2), within(v, lo, hi), n - i);
  }
}

function mulRow(y: usize, a: usize, as: i32, b: usize, bs: i32, n: i32, lo: v128, hi: v128): void {
  for (let i = 0; i < n; i += 4) {
    const v = f32x4.mul(operand(a, i, as), operand(b, i, bs));
    storeWords(y + ((<usize>i) << 2), within(v, lo, hi), n - i);
  }
}

function divRow(y: usize, a: usize, as: i32, b: usize, bs: i32, n: i32, lo: v128, hi: v128): void {
  for (let i = 0; i < n; i += 4) {
    const v = f32x4.div(operand(a, i, as), operand(b, i, bs));
    storeWords(y + ((<usize>i) << 2), within(v, lo, hi), n - i);
  }
}

function broadcast(
  kind: i32,
  y: usize,
  a: usize,
  b: usize,
  d1: i32,
  d2: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  low: f32,
  high: f32,
  begin: i32,
  end: i32,
): void {
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  a += (<usize>(begin * a0)) << 2;
  b += (<usize>(begin * b0)) << 2;
  y += (<usize>(begin * d1 * d2)) << 2;
  let count = end - begin;
  // Levels that are dense, or constant, in both operands are one row.
  if (a1 == a2 * d2 && b1 == b2 * d2) {
    d2 *= d1;
    d1 = 1;
    if (a0 == a2 * d2 && b0 == b2 * d2) {
      d2 *= count;
      count = 1;
    }
  }
  for (; count > 0; count--, a += a0 << 2, b += b0 << 2) {
    let p = a;
    let q = b;
    for (let i = 0; i < d1; i++, p += a1 << 2, q += b1 << 2, y += d2 << 2) {
      if (kind == ADD) addRow(y, p, a2, q, b2, d2, lo, hi);
      else if (kind == SUB) subRow(y, p, a2, q, b2, d2, lo, hi);
      else if (kind == MUL) mulRow(y, p, a2, q, b2, d2, lo, hi);
      else divRow(y, p, a2, q, b2, d2, lo, hi);
    }
  }
}

/**
 * y[i0][i1][i2] = min(max(a[i·(a0,a1,a2)] + b[i·(b0,b1,b2)], lo), hi) for i0 from begin to end, i1 < d1, i2 < d2.
 *
 * y is dense; strides in elements, 0 to repeat; a2 and b2 are 0 or 1. NaN stays NaN. y may be a or b where that
 * one is dense.
 */
export function add(
  y: usize,
  a: usize,
  b: usize,
  d1: i32,
  d2: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  broadcast(ADD, y, a, b, d1, d2, a0, a1, a2, b0, b1, b2, lo, hi, begin, end);
}

/** a − b, otherwise as add. */
export function sub(
  y: usize,
  a: usize,
  b: usize,
  d1: i32,
  d2: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  broadcast(SUB, y, a, b, d1, d2, a0, a1, a2, b0, b1, b2, lo, hi, begin, end);
}

/** a · b, otherwise as add. */
export function mul(
  y: usize,
  a: usize,
  b: usize,
  d1: i32,
  d2: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  broadcast(MUL, y, a, b, d1, d2, a0, a1, a2, b0, b1, b2, lo, hi, begin, end);
}

/** a / b, otherwise as add. */
export function div(
  y: usize,
  a: usize,
  b: usize,
  d1: i32,
  d2: i32,
  a0: i32,
  a1: i32,
  a2: i32,
  b0: i32,
  b1: i32,
  b2: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  broadcast(DIV, y, a, b, d1, d2, a0, a1, a2, b0, b1, b2, lo, hi, begin, end);
}
