// Functions of gates and candidates, and what each kernel does at the ends of a row.

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
  SOFTPLUS,
  SOFTSIGN,
  TANH,
  THRESHOLDED_RELU,
} from "./sizes";

/** A function by its number, of what is within −clip..clip. */
export function activate(kind: i32, v: v128, clip: f32, alpha: f32, beta: f32): v128 {
  v = f32x4.pmin(f32x4.pmax(v, f32x4.splat(-clip)), f32x4.splat(clip));
  if (kind == SIGMOID) return f32x4.div(f32x4.splat(1), onePlusExpNeg(v));
  if (kind == TANH) return tanh(v);
  return activateOther(kind, v, f32x4.splat(alpha), f32x4.splat(beta));
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
    case SCALED_TANH:
      return f32x4.mul(alpha, tanh(f32x4.mul(beta, v)));
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

/** Steps that a row has: all, or as many as are given for it. */
export function stepsOf(lengths: usize, row: i32, steps: i32): i32 {
  return lengths ? min(max(load<i32>(lengths + ((<usize>row) << 2)), 0), steps) : steps;
}

/** The step that a row takes as its s-th. */
export function stepAt(s: i32, length: i32, reverse: bool): i32 {
  return reverse && s < length ? length - 1 - s : s;
}

/** States of rows begin to end as they are before the first step: those at `from`, or zeros, as where a row has no steps. Rows `ld` elements apart. */
export function startStates(
  state: usize,
  from: usize,
  lengths: usize,
  hidden: i32,
  ld: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>hidden) << 2;
  for (let row = begin; row < end; row++) {
    const at = (<usize>(row * ld)) << 2;
    if (from && stepsOf(lengths, row, 1) > 0) memory.copy(state + at, from + at, bytes);
    else memory.fill(state + at, 0, bytes);
  }
}

/** Four numbers of a state to where it is kept, and to the results of the step where there are any. */
export function storeState(state: usize, y: usize, at: usize, v: v128, count: i32): void {
  storeWords(state + at, v, count);
  if (y) storeWords(y + at, v, count);
}
