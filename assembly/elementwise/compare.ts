// Comparisons of two values of one dtype.
//
// y = 1 where it holds, else 0, bytes, of elements of `type`, broadcast as `walk` says. None holds of NaN. Range: the outermost loop.

import { Pair, tests } from "./pairs";

@unmanaged
class Equal extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return f32x4.eq(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return i32x4.eq(a, b);
  }
}

@unmanaged
class Less extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return f32x4.lt(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return i32x4.lt_s(a, b);
  }
}

@unmanaged
class LessOrEqual extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return f32x4.le(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return i32x4.le_s(a, b);
  }
}

/** a = b */
export function equal(
  y: usize,
  a: usize,
  b: usize,
  type: i32,
  walks: i32,
  d1: i32,
  d2: i32,
  d3: i32,
  d4: i32,
  begin: i32,
  end: i32,
): void {
  tests<Equal>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** a < b */
export function less(
  y: usize,
  a: usize,
  b: usize,
  type: i32,
  walks: i32,
  d1: i32,
  d2: i32,
  d3: i32,
  d4: i32,
  begin: i32,
  end: i32,
): void {
  tests<Less>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** a ≤ b */
export function lessOrEqual(
  y: usize,
  a: usize,
  b: usize,
  type: i32,
  walks: i32,
  d1: i32,
  d2: i32,
  d3: i32,
  d4: i32,
  begin: i32,
  end: i32,
): void {
  tests<LessOrEqual>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}
