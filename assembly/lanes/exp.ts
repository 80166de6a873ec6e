// e^x and its relatives on four f32 lanes. Fixed order of operations, so the same bits on every engine.
//
// x = k·ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite, ln 2 in two parts), e^x = 2^k·e^r; e^r from the minimax
// polynomial of Cephes' expf (Moshier, netlib.org/cephes/single.tgz, expf.c).

/** k = rne(x / ln 2). */
function octaves(x: v128): v128 {
  return f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
}

/** e^r − 1 where r = x − k·ln 2. */
function expm1Rest(x: v128, k: v128): v128 {
  let r = f32x4.sub(x, f32x4.mul(k, f32x4.splat(0.693359375)));
  r = f32x4.sub(r, f32x4.mul(k, f32x4.splat(-2.1219444e-4)));
  let p = f32x4.splat(1.98756915e-4);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.3981999507e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(8.3334519073e-3));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(4.1665795894e-2));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.6666665459e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(5.0000001201e-1));
  return f32x4.add(f32x4.mul(p, f32x4.mul(r, r)), r);
}

/** 2^k for whole k in −126..127. */
function pow2(k: v128): v128 {
  return i32x4.shl(i32x4.add(k, i32x4.splat(127)), 23);
}

/** e^x within 1.5 ulp: 0 below −104, ∞ above 88.73, subnormals where they belong; NaN stays NaN. */
export function exp(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104)), f32x4.splat(89));
  const octave = octaves(x);
  const k = i32x4.trunc_sat_f32x4_s(octave);
  const half = i32x4.shr_s(k, 1);
  const p = f32x4.add(f32x4.splat(1), expm1Rest(x, octave));
  return f32x4.mul(f32x4.mul(p, pow2(half)), pow2(i32x4.sub(k, half)));
}

/**
 * e^x for x ≤ 0, as exp gives it; 0 below −87, where it leaves the normal numbers. NaN stays NaN. With 1.5·2^23 added, the lowest bits of
 * a float are k.
 */
export function expOfNegative(x: v128): v128 {
  const least = f32x4.splat(-87);
  const whole = f32x4.splat(12582912);
  const inside = f32x4.pmax(x, least);
  const k = f32x4.add(f32x4.mul(inside, f32x4.splat(1.44269504088896341)), whole);
  const p = f32x4.add(f32x4.splat(1), expm1Rest(inside, f32x4.sub(k, whole)));
  return v128.andnot(i32x4.add(p, i32x4.shl(k, 23)), f32x4.lt(x, least));
}

/** e^x − 1 for x ≤ 0 within 2 ulp, around 0 too: 2^k·(e^r − 1) + (2^k − 1). */
export function expm1(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-30)), f32x4.splat(0));
  const octave = octaves(x);
  const scale = pow2(i32x4.trunc_sat_f32x4_s(octave));
  return f32x4.add(f32x4.mul(scale, expm1Rest(x, octave)), f32x4.sub(scale, f32x4.splat(1)));
}

/** 1 + e^−x, the denominator of σ(x). */
export function onePlusExpNeg(x: v128): v128 {
  return f32x4.add(f32x4.splat(1), exp(f32x4.neg(x)));
}
