// Rows of gates, candidates and states: their functions, sums and products. Each is a loop of its own, whose constants stay in registers.

import { exp, expm1, onePlusExpNeg } from "../lanes/exp";
import { log1p } from "../lanes/log1p";
import { storeWords } from "../lanes/simd";
import { tanh } from "../lanes/tanh";
import {
  AFFINE,
  ELU,
  HARD_SIGMOID,
  LEAKY_RELU,
  RELU,
  SCALED_TANH,
  SIGMOID,
  SOFTSIGN,
  TANH,
  THRESHOLDED_RELU,
} from "./sizes";

/** Numbers of a row, four by four. Static methods, because only a method can ask to be inlined in syntax that formatters know. */
export class Four {
  /** a + b, or a where there is no b. */
  @inline
  static sum(a: usize, b: usize, at: usize): v128 {
    const v = v128.load(a + at);
    return b ? f32x4.add(v, v128.load(b + at)) : v;
  }

  /** Only the end of a row pays for a call. */
  @inline
  static store(to: usize, v: v128, left: i32): void {
    if (left >= 4) v128.store(to, v);
    else storeWords(to, v, left);
  }
}

/**
 * to = f(a + b), or f(a) where b is 0, of what is within −clip..clip. `to` may be a or b. Sigmoid and tanh, which nearly all layers have, each
 * in a loop of its own.
 */
export function activateRow(
  kind: i32,
  to: usize,
  a: usize,
  b: usize,
  count: i32,
  clip: f32,
  alpha: f32,
  beta: f32,
): void {
  const high = f32x4.splat(clip);
  const low = f32x4.splat(-clip);
  if (kind == SIGMOID) {
    for (let j = 0; j < count; j += 4) {
      const at = (<usize>j) << 2;
      const v = f32x4.pmin(f32x4.pmax(Four.sum(a, b, at), low), high);
      Four.store(to + at, f32x4.div(f32x4.splat(1), onePlusExpNeg(v)), count - j);
    }
  } else if (kind == TANH || kind == SCALED_TANH) {
    const outer = f32x4.splat(kind == TANH ? 1 : alpha);
    const inner = f32x4.splat(kind == TANH ? 1 : beta);
    for (let j = 0; j < count; j += 4) {
      const at = (<usize>j) << 2;
      const v = f32x4.pmin(f32x4.pmax(Four.sum(a, b, at), low), high);
      Four.store(to + at, f32x4.mul(outer, tanh(f32x4.mul(inner, v))), count - j);
    }
  } else {
    for (let j = 0; j < count; j += 4) {
      const at = (<usize>j) << 2;
      const v = f32x4.pmin(f32x4.pmax(Four.sum(a, b, at), low), high);
      Four.store(to + at, activateOther(kind, v, f32x4.splat(alpha), f32x4.splat(beta)), count - j);
    }
  }
}

function activateOther(kind: i32, v: v128, alpha: v128, beta: v128): v128 {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  switch (kind) {
    case RELU:
      return f32x4.max(v, zero);
    case AFFINE:
      return f32x4.add(f32x4.mul(alpha, v), beta);
    case LEAKY_RELU:
      return v128.bitselect(f32x4.mul(alpha, v), v, f32x4.lt(v, zero));
    case THRESHOLDED_RELU:
      return v128.and(v, f32x4.gt(v, alpha));
    case HARD_SIGMOID:
      return f32x4.min(f32x4.max(f32x4.add(f32x4.mul(alpha, v), beta), zero), one);
    case ELU:
      return v128.bitselect(f32x4.mul(alpha, expm1(v)), v, f32x4.lt(v, zero));
    case SOFTSIGN:
      return f32x4.div(v, f32x4.add(one, f32x4.abs(v)));
    default:
      return f32x4.add(f32x4.max(v, zero), log1p(exp(f32x4.neg(f32x4.abs(v)))));
  }
}

/** to += from. */
export function addRow(to: usize, from: usize, count: i32): void {
  for (let j = 0; j < count; j += 4) {
    const at = (<usize>j) << 2;
    Four.store(to + at, Four.sum(to, from, at), count - j);
  }
}

/** to = a·b. `to` may be a or b. */
export function multiplyRow(to: usize, a: usize, b: usize, count: i32): void {
  for (let j = 0; j < count; j += 4) {
    const at = (<usize>j) << 2;
    Four.store(to + at, f32x4.mul(v128.load(a + at), v128.load(b + at)), count - j);
  }
}

/** to += a·b. */
export function addProducts(to: usize, a: usize, b: usize, count: i32): void {
  for (let j = 0; j < count; j += 4) {
    const at = (<usize>j) << 2;
    const product = f32x4.mul(v128.load(a + at), v128.load(b + at));
    Four.store(to + at, f32x4.add(v128.load(to + at), product), count - j);
  }
}
