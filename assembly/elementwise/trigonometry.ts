// Trigonometric functions and their inverses of one f32 value, elements begin to end; y may be x. Bounds on the error are checked in
// test/kernels/elementary.test.ts.

import { acos as acosLanes, asin as asinLanes, atan as atanLanes } from "../lanes/arcus";
import { cos as cosLanes, sin as sinLanes, tan as tanLanes } from "../lanes/sine";
import { each, Single } from "./each";

@unmanaged
class Sin extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return sinLanes(x);
  }
}

@unmanaged
class Cos extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return cosLanes(x);
  }
}

@unmanaged
class Tan extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return tanLanes(x);
  }
}

@unmanaged
class Asin extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return asinLanes(x);
  }
}

@unmanaged
class Acos extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return acosLanes(x);
  }
}

@unmanaged
class Atan extends Single {
  @inline
  of(x: v128, _p: v128, _q: v128): v128 {
    return atanLanes(x);
  }
}

/** y = sin x. */
export function sin(y: usize, x: usize, begin: i32, end: i32): void {
  each<Sin>(y, x, 0, 0, begin, end);
}

/** y = cos x. */
export function cos(y: usize, x: usize, begin: i32, end: i32): void {
  each<Cos>(y, x, 0, 0, begin, end);
}

/** y = tan x. */
export function tan(y: usize, x: usize, begin: i32, end: i32): void {
  each<Tan>(y, x, 0, 0, begin, end);
}

/** y = arcsin x, NaN where |x| > 1. */
export function asin(y: usize, x: usize, begin: i32, end: i32): void {
  each<Asin>(y, x, 0, 0, begin, end);
}

/** y = arccos x, NaN where |x| > 1. */
export function acos(y: usize, x: usize, begin: i32, end: i32): void {
  each<Acos>(y, x, 0, 0, begin, end);
}

/** y = arctan x. */
export function atan(y: usize, x: usize, begin: i32, end: i32): void {
  each<Atan>(y, x, 0, 0, begin, end);
}
