// Activation functions of one f32 value, elements begin to end; y may be x.

import { exp, expm1, onePlusExpNeg } from "../lanes/exp";
import { each, Single } from "./each";

@unmanaged
class Selu extends Single {
  @inline
  of(x: v128, p: v128, q: v128): v128 {
    const low = f32x4.mul(p, expm1(x));
    return f32x4.mul(q, v128.bitselect(x, low, f32x4.gt(x, f32x4.splat(0))));
  }
}

@unmanaged
class Celu extends Single {
  @inline
  of(x: v128, p: v128, _q: v128): v128 {
    const low = f32x4.mul(p, expm1(f32x4.div(x, p)));
    return v128.bitselect(x, low, f32x4.gt(x, f32x4.splat(0)));
  }
}

@unmanaged
class Mish extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    const e = exp(f32x4.pmin(f32x4.splat(20), x));
    const n = f32x4.mul(e, f32x4.add(e, f32x4.splat(2)));
    const share = f32x4.div(n, f32x4.add(n, f32x4.splat(2)));
    return v128.bitselect(x, f32x4.mul(x, share), f32x4.gt(x, f32x4.splat(20)));
  }
}

@unmanaged
class Softsign extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.div(x, f32x4.add(f32x4.splat(1), f32x4.abs(x)));
  }
}

@unmanaged
class ThresholdedRelu extends Single {
  @inline
  of(x: v128, p: v128, _q: v128): v128 {
    return v128.and(x, f32x4.gt(x, p));
  }
}

@unmanaged
class Shrink extends Single {
  @inline
  of(x: v128, p: v128, q: v128): v128 {
    const below = v128.and(f32x4.lt(x, f32x4.neg(p)), f32x4.add(x, q));
    return v128.bitselect(f32x4.sub(x, q), below, f32x4.gt(x, p));
  }
}

@unmanaged
class Swish extends Single {
  @inline
  of(x: v128, p: v128, _q: v128): v128 {
    return f32x4.div(x, onePlusExpNeg(f32x4.mul(x, p)));
  }
}

/** y = gamma · x where x > 0, else gamma · alpha · (e^x − 1). */
export function selu(y: usize, x: usize, alpha: f32, gamma: f32, begin: i32, end: i32): void {
  each<Selu>(y, x, alpha, gamma, begin, end);
}

/** y = x where x > 0, else alpha · (e^(x / alpha) − 1). */
export function celu(y: usize, x: usize, alpha: f32, begin: i32, end: i32): void {
  each<Celu>(y, x, alpha, 0, begin, end);
}

/** y = x · tanh(ln(1 + e^x)) = x · n / (n + 2), n = e^x · (e^x + 2). */
export function mish(y: usize, x: usize, begin: i32, end: i32): void {
  each<Mish>(y, x, 0, 0, begin, end);
}

/** y = x / (1 + |x|). */
export function softsign(y: usize, x: usize, begin: i32, end: i32): void {
  each<Softsign>(y, x, 0, 0, begin, end);
}

/** y = x where x > alpha, else 0. */
export function thresholdedRelu(y: usize, x: usize, alpha: f32, begin: i32, end: i32): void {
  each<ThresholdedRelu>(y, x, alpha, 0, begin, end);
}

/** y = x + bias where x < −lambd, x − bias where x > lambd, else 0. */
export function shrink(y: usize, x: usize, lambd: f32, bias: f32, begin: i32, end: i32): void {
  each<Shrink>(y, x, lambd, bias, begin, end);
}

/** y = x · σ(alpha · x). */
export function swish(y: usize, x: usize, alpha: f32, begin: i32, end: i32): void {
  each<Swish>(y, x, alpha, 0, begin, end);
}
