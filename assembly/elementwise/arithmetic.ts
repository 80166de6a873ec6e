// Arithmetic on two values of one dtype: f32, and i32, u8 and i8, which keep the low bits of their results.
//
// y = f(a, b), elements of `type`, broadcast as `walk` says; y may be an operand of its own shape. Range: the outermost loop.

import { Add, Div, Mul, Sub } from "./basic";
import { Pair, pairs } from "./pairs";
import { remainder } from "./quotient";

@unmanaged
class Max extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return f32x4.max(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return i32x4.max_s(a, b);
  }
}

@unmanaged
class Min extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return f32x4.min(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return i32x4.min_s(a, b);
  }
}

@unmanaged
class Mod extends Pair {
  @inline
  integer(a: v128, b: v128): v128 {
    const rest = remainder(a, b);
    // Signs differ: the remainder of the floor is that of b.
    const turns = v128.and(i32x4.lt_s(v128.xor(rest, b), i32x4.splat(0)), i32x4.ne(rest, i32x4.splat(0)));
    return i32x4.add(rest, v128.and(b, turns));
  }
}

@unmanaged
class Fmod extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    let y = f32x4.splat(f32x4.extract_lane(a, 0) % f32x4.extract_lane(b, 0));
    y = f32x4.replace_lane(y, 1, f32x4.extract_lane(a, 1) % f32x4.extract_lane(b, 1));
    y = f32x4.replace_lane(y, 2, f32x4.extract_lane(a, 2) % f32x4.extract_lane(b, 2));
    return f32x4.replace_lane(y, 3, f32x4.extract_lane(a, 3) % f32x4.extract_lane(b, 3));
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return remainder(a, b);
  }
}

@unmanaged
class PRelu extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return v128.bitselect(f32x4.mul(a, b), a, f32x4.lt(a, f32x4.splat(0)));
  }

  @inline
  integer(a: v128, b: v128): v128 {
    return v128.bitselect(i32x4.mul(a, b), a, i32x4.lt_s(a, i32x4.splat(0)));
  }
}

/** y = a + b. */
export function broadcastAdd(
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
  pairs<Add>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a − b. */
export function broadcastSub(
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
  pairs<Sub>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a · b. */
export function broadcastMul(
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
  pairs<Mul>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a / b, of integers truncated, and 0 where b is 0. */
export function broadcastDiv(
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
  pairs<Div>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = max(a, b), NaN where one is. */
export function maximum(
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
  pairs<Max>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = min(a, b), NaN where one is. */
export function minimum(
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
  pairs<Min>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a − b·⌊a / b⌋ of integers, with the sign of b; 0 where b is 0. */
export function modulo(
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
  pairs<Mod>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a − b·trunc(a / b), exact, with the sign of a; 0 where an integer b is 0. */
export function fmod(
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
  pairs<Fmod>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a where a ≥ 0, else a · b. */
export function pRelu(
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
  pairs<PRelu>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}
