// Whole numbers, signs and tests of one f32 value, elements begin to end; y may be x, but for tests.

import { each, eachTest, Single } from "./each";

@unmanaged
class Ceil extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.ceil(x);
  }
}

@unmanaged
class Floor extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.floor(x);
  }
}

@unmanaged
class Round extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.nearest(x);
  }
}

@unmanaged
class Sign extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    const zero = f32x4.splat(0);
    const above = v128.and(f32x4.gt(x, zero), f32x4.splat(1));
    const below = v128.and(f32x4.lt(x, zero), f32x4.splat(-1));
    return v128.bitselect(v128.or(above, below), x, f32x4.eq(x, x));
  }
}

@unmanaged
class Reciprocal extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.div(f32x4.splat(1), x);
  }
}

@unmanaged
class IsNaN extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return f32x4.ne(x, x);
  }
}

@unmanaged
class IsInf extends Single {
  @inline
  of(x: v128, p: v128, q: v128): v128 {
    const infinite = f32x4.splat(Infinity);
    const above = v128.and(f32x4.eq(x, infinite), f32x4.gt(q, f32x4.splat(0)));
    const below = v128.and(f32x4.eq(x, f32x4.neg(infinite)), f32x4.gt(p, f32x4.splat(0)));
    return v128.or(above, below);
  }
}

/** y = ⌈x⌉. */
export function ceil(y: usize, x: usize, begin: i32, end: i32): void {
  each<Ceil>(y, x, 0, 0, begin, end);
}

/** y = ⌊x⌋. */
export function floor(y: usize, x: usize, begin: i32, end: i32): void {
  each<Floor>(y, x, 0, 0, begin, end);
}

/** y = x rounded, halves to even. */
export function round(y: usize, x: usize, begin: i32, end: i32): void {
  each<Round>(y, x, 0, 0, begin, end);
}

/** y = 1, −1 or 0, as x is above, below or 0; NaN stays NaN. */
export function sign(y: usize, x: usize, begin: i32, end: i32): void {
  each<Sign>(y, x, 0, 0, begin, end);
}

/** y = 1 / x. */
export function reciprocal(y: usize, x: usize, begin: i32, end: i32): void {
  each<Reciprocal>(y, x, 0, 0, begin, end);
}

/** y = 1 where x is NaN, else 0: bytes. */
export function isNaN(y: usize, x: usize, begin: i32, end: i32): void {
  eachTest<IsNaN>(y, x, 0, 0, begin, end);
}

/** y = 1 where x is −∞ and `negative` is 1, or x is ∞ and `positive` is 1, else 0: bytes. */
export function isInf(y: usize, x: usize, negative: f32, positive: f32, begin: i32, end: i32): void {
  eachTest<IsInf>(y, x, negative, positive, begin, end);
}
