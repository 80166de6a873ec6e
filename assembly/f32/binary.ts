// Sum, difference, product and quotient with three levels of broadcasting.

import { Add, Div, Mul, Sub } from "../elementwise/basic";
import { Pair } from "../elementwise/pairs";
import { beforeBounds, bounded } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";

const ADD: i32 = 0;
const SUB: i32 = 1;
const MUL: i32 = 2;
const DIV: i32 = 3;

/** n elements; one of a repeated where `as` is 0, of b where `bs` is. */
function row<F extends Pair>(
  y: usize,
  a: usize,
  as: i32,
  b: usize,
  bs: i32,
  n: i32,
  before: v128,
  lo: v128,
  hi: v128,
): void {
  const f = changetype<F>(0);
  let a0 = v128.load32_splat(a);
  let a1 = a0;
  let b0 = v128.load32_splat(b);
  let b1 = b0;
  for (; n >= 8; n -= 8, y += 32) {
    if (as) {
      a0 = v128.load(a);
      a1 = v128.load(a, 16);
      a += 32;
    }
    if (bs) {
      b0 = v128.load(b);
      b1 = v128.load(b, 16);
      b += 32;
    }
    v128.store(y, bounded(f.real(a0, b0), before, lo, hi));
    v128.store(y, bounded(f.real(a1, b1), before, lo, hi), 16);
  }
  for (; n > 0; n -= 4, y += 16) {
    if (as) {
      a0 = v128.load(a);
      a += 16;
    }
    if (bs) {
      b0 = v128.load(b);
      b += 16;
    }
    storeWords(y, bounded(f.real(a0, b0), before, lo, hi), n);
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
  const before = beforeBounds(low);
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high + <f32>0);
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
      if (kind == ADD) row<Add>(y, p, a2, q, b2, d2, before, lo, hi);
      else if (kind == SUB) row<Sub>(y, p, a2, q, b2, d2, before, lo, hi);
      else if (kind == MUL) row<Mul>(y, p, a2, q, b2, d2, before, lo, hi);
      else row<Div>(y, p, a2, q, b2, d2, before, lo, hi);
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
