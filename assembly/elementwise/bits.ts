// Bits of two integers, and truth of two bools: i32, or bytes.
//
// y = f(a, b), elements of `type`, broadcast as `walk` says; y may be an operand of its own shape. Range: the outermost loop.

import { Pair, pairs } from "./pairs";

/** a << b, or a >>> b: bits beyond the width are 0. */
function shifted(a: i32, b: i32, left: bool): i32 {
  if (<u32>b > 31) return 0;
  return left ? a << b : a >>> b;
}

function shiftedLanes(a: v128, b: v128, left: bool): v128 {
  let y = i32x4.splat(shifted(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0), left));
  y = i32x4.replace_lane(y, 1, shifted(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1), left));
  y = i32x4.replace_lane(y, 2, shifted(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2), left));
  return i32x4.replace_lane(y, 3, shifted(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3), left));
}

@unmanaged
class And extends Pair {
  @inline
  integer(a: v128, b: v128): v128 {
    return v128.and(a, b);
  }
}

@unmanaged
class Or extends Pair {
  @inline
  integer(a: v128, b: v128): v128 {
    return v128.or(a, b);
  }
}

@unmanaged
class Xor extends Pair {
  @inline
  integer(a: v128, b: v128): v128 {
    return v128.xor(a, b);
  }
}

@unmanaged
class Left extends Pair {
  @inline
  integer(a: v128, b: v128): v128 {
    return shiftedLanes(a, b, true);
  }
}

@unmanaged
class Right extends Pair {
  @inline
  integer(a: v128, b: v128): v128 {
    return shiftedLanes(a, b, false);
  }
}

/** y = a and b. */
export function bitAnd(
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
  pairs<And>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a or b. */
export function bitOr(
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
  pairs<Or>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a xor b. */
export function bitXor(
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
  pairs<Xor>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a · 2^b of integers without a sign, 0 where b is 32 or more. */
export function shiftLeft(
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
  pairs<Left>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = ⌊a / 2^b⌋ of integers without a sign, 0 where b is 32 or more. */
export function shiftRight(
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
  pairs<Right>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}
