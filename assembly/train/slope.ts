// Slopes of the functions of recurrent layers.

import { exp } from "../lanes/exp";
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
} from "../recurrent/sizes";

/** The slope of a function by its number, where its value is y. */
export function slope(kind: i32, y: v128, alpha: f32, beta: f32): v128 {
  const one = f32x4.splat(1);
  if (kind == SIGMOID) return f32x4.mul(y, f32x4.sub(one, y));
  if (kind == TANH) return f32x4.sub(one, f32x4.mul(y, y));
  const zero = f32x4.splat(0);
  const a = f32x4.splat(alpha);
  switch (kind) {
    case RELU:
      return v128.and(one, f32x4.gt(y, zero));
    case AFFINE:
      return a;
    case LEAKY_RELU:
      return v128.bitselect(a, one, f32x4.lt(y, zero));
    case SCALED_TANH:
      return f32x4.mul(f32x4.splat(beta), f32x4.sub(a, f32x4.div(f32x4.mul(y, y), a)));
    case HARD_SIGMOID:
      return v128.and(a, v128.and(f32x4.gt(y, zero), f32x4.lt(y, one)));
    case ELU:
      return v128.bitselect(f32x4.add(y, a), one, f32x4.lt(y, zero));
    case SOFTSIGN: {
      const rest = f32x4.sub(one, f32x4.abs(y));
      return f32x4.mul(rest, rest);
    }
    case SOFTPLUS:
      return f32x4.sub(one, exp(f32x4.neg(y)));
    default:
      // Thresholded: what passes is not 0.
      return v128.and(one, f32x4.ne(y, zero));
  }
}
