// Powers of two values.
//
// y = f(a, b), elements of `type`, broadcast as `walk` says; y may be an operand of its own shape. Range: the outermost loop.

import { pow } from "../lanes/pow";
import { Pair, pairs } from "./pairs";

/** The low 32 bits of a^n; of negative n the power truncated: 0 but for ±1, and 0 for 0. */
function whole(a: i32, n: i32): i32 {
  if (n < 0) return a == 1 ? 1 : a == -1 ? (n & 1 ? -1 : 1) : 0;
  let y = 1;
  for (; n > 0; n >>= 1, a *= a) if (n & 1) y *= a;
  return y;
}

/** a^b truncated, b the bits of an f32. */
function truncated(a: i32, bits: i32): i32 {
  const b = reinterpret<f32>(bits);
  if (b == trunc<f32>(b) && abs<f32>(b) < 2147483648) return whole(a, <i32>b);
  return i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(pow(f32x4.splat(<f32>a), f32x4.splat(b))), 0);
}

@unmanaged
class Power extends Pair {
  @inline
  real(a: v128, b: v128): v128 {
    return pow(a, b);
  }

  @inline
  integer(a: v128, b: v128): v128 {
    let y = i32x4.splat(whole(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0)));
    y = i32x4.replace_lane(y, 1, whole(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1)));
    y = i32x4.replace_lane(y, 2, whole(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2)));
    return i32x4.replace_lane(y, 3, whole(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3)));
  }
}

@unmanaged
class PowerOfReal extends Pair {
  @inline
  integer(a: v128, b: v128): v128 {
    let y = i32x4.splat(truncated(i32x4.extract_lane(a, 0), i32x4.extract_lane(b, 0)));
    y = i32x4.replace_lane(y, 1, truncated(i32x4.extract_lane(a, 1), i32x4.extract_lane(b, 1)));
    y = i32x4.replace_lane(y, 2, truncated(i32x4.extract_lane(a, 2), i32x4.extract_lane(b, 2)));
    return i32x4.replace_lane(y, 3, truncated(i32x4.extract_lane(a, 3), i32x4.extract_lane(b, 3)));
  }
}

/** y = a^b; of integers the low bits, or what is left of the power of a negative b when its fraction is cut off. */
export function power(
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
  pairs<Power>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}

/** y = a^b with its fraction cut off: a and y are i32, b is f32. */
export function integerPowerOfReal(
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
  pairs<PowerOfReal>(y, a, b, type, walks, d1, d2, d3, d4, begin, end);
}
