// Logarithms, hyperbolic functions and their inverses of one f32 value, elements begin to end; y may be x. Bounds on the error are checked in
// test/kernels/elementary.test.ts.

import {
  acosh as acoshLanes,
  asinh as asinhLanes,
  atanh as atanhLanes,
  cosh as coshLanes,
  sinh as sinhLanes,
} from "../lanes/hyperbolic";
import { logOfAny } from "../lanes/log";
import { each, Single } from "./each";

@unmanaged
class Log extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return logOfAny(x);
  }
}

@unmanaged
class Sinh extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return sinhLanes(x);
  }
}

@unmanaged
class Cosh extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return coshLanes(x);
  }
}

@unmanaged
class Asinh extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return asinhLanes(x);
  }
}

@unmanaged
class Acosh extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return acoshLanes(x);
  }
}

@unmanaged
class Atanh extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return atanhLanes(x);
  }
}

/** y = ln x. */
export function log(y: usize, x: usize, begin: i32, end: i32): void {
  each<Log>(y, x, 0, 0, begin, end);
}

/** y = sinh x. */
export function sinh(y: usize, x: usize, begin: i32, end: i32): void {
  each<Sinh>(y, x, 0, 0, begin, end);
}

/** y = cosh x. */
export function cosh(y: usize, x: usize, begin: i32, end: i32): void {
  each<Cosh>(y, x, 0, 0, begin, end);
}

/** y = the x of sinh y. */
export function asinh(y: usize, x: usize, begin: i32, end: i32): void {
  each<Asinh>(y, x, 0, 0, begin, end);
}

/** y = the x of cosh y, NaN where x < 1. */
export function acosh(y: usize, x: usize, begin: i32, end: i32): void {
  each<Acosh>(y, x, 0, 0, begin, end);
}

/** y = the x of tanh y, NaN where |x| > 1. */
export function atanh(y: usize, x: usize, begin: i32, end: i32): void {
  each<Atanh>(y, x, 0, 0, begin, end);
}
