// Division of integers, in f64: the quotient of two i32 is further from the next whole number than f64 rounds.

/** 1.5 · 2^52: added to a whole number, its low 32 bits are those of the f64. ∞ and NaN, of a divisor of 0, give 0. */
const WHOLE: f64 = 6755399441055744;

function low(a: v128, b: v128): v128 {
  const q = f64x2.div(f64x2.convert_low_i32x4_s(a), f64x2.convert_low_i32x4_s(b));
  return f64x2.add(f64x2.trunc(q), f64x2.splat(WHOLE));
}

function upper(v: v128): v128 {
  return i32x4.shuffle(v, v, 2, 3, 2, 3);
}

/** a / b, truncated; 0 where b is 0. −2^31 / −1 keeps its low bits. */
export function quotient(a: v128, b: v128): v128 {
  return i32x4.shuffle(low(a, b), low(upper(a), upper(b)), 0, 2, 4, 6);
}

/** a − b · trunc(a / b); 0 where b is 0. */
export function remainder(a: v128, b: v128): v128 {
  const rest = i32x4.sub(a, i32x4.mul(b, quotient(a, b)));
  return v128.andnot(rest, i32x4.eq(b, i32x4.splat(0)));
}
