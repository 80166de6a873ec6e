// e^x and its relatives on four f32 lanes. Fixed order of operations, so the same bits on every engine.
//
// x = k·ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite, ln 2 in two parts), e^x = 2^k·e^r; e^r from the minimax
// polynomial of Cephes' expf (Moshier, netlib.org/cephes/single.tgz, expf.c).

/** 1.5·2^23: with it added, the lowest bits of a float are the whole number nearest to it, the even one of two. */
const WHOLE: f32 = 12582912;
const WHOLE_BITS: i32 = 0x4b400000;

/** k = rne(x / ln 2), with WHOLE added. */
function octaves(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(1.44269504088896341)), f32x4.splat(WHOLE));
}

/** e^r − 1 where r = x − k·ln 2, of what `octaves` gives. */
function expm1Rest(x: v128, octave: v128): v128 {
  const k = f32x4.sub(octave, f32x4.splat(WHOLE));
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

/** 2^k for whole k in −126..127, whatever is above their lowest 9 bits. */
function pow2(k: v128): v128 {
  return i32x4.shl(i32x4.add(k, i32x4.splat(127)), 23);
}

/** e^x where |x| ≤ 87, with the bits of exp. NaN stays NaN. */
export function expNormal(x: v128): v128 {
  const octave = octaves(x);
  return f32x4.mul(f32x4.add(f32x4.splat(1), expm1Rest(x, octave)), pow2(octave));
}

/** e^x within 1.5 ulp: 0 below −104, ∞ above 88.73, subnormals where they belong; NaN stays NaN. */
export function exp(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-104)), f32x4.splat(89));
  const octave = octaves(x);
  const k = i32x4.sub(octave, i32x4.splat(WHOLE_BITS));
  const half = i32x4.shr_s(k, 1);
  const p = f32x4.add(f32x4.splat(1), expm1Rest(x, octave));
  return f32x4.mul(f32x4.mul(p, pow2(half)), pow2(i32x4.sub(k, half)));
}

/** e^x for x ≤ 0, as exp gives it; 0 below −87, where it leaves the normal numbers. NaN stays NaN. */
export function expOfNegative(x: v128): v128 {
  const least = f32x4.splat(-87);
  const inside = f32x4.pmax(x, least);
  const octave = octaves(inside);
  const p = f32x4.add(f32x4.splat(1), expm1Rest(inside, octave));
  return v128.andnot(i32x4.add(p, i32x4.shl(octave, 23)), f32x4.lt(x, least));
}

/** e^x − 1 for x ≤ 0 within 2 ulp, around 0 too: 2^k·(e^r − 1) + (2^k − 1). */
export function expm1(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-30)), f32x4.splat(0));
  const octave = octaves(x);
  const scale = pow2(octave);
  return f32x4.add(f32x4.mul(scale, expm1Rest(x, octave)), f32x4.sub(scale, f32x4.splat(1)));
}

/** 1 + e^−x with the bits of exp, the denominator of σ(x): 1 from x = 80 on; ∞ where e^−x is, which half of it is not. */
export function onePlusExpNeg(x: v128): v128 {
  x = f32x4.pmin(f32x4.pmax(f32x4.neg(x), f32x4.splat(-80)), f32x4.splat(89));
  const octave = octaves(x);
  const p = f32x4.add(f32x4.splat(1), expm1Rest(x, octave));
  const half = f32x4.mul(p, pow2(i32x4.sub(octave, i32x4.splat(1))));
  return f32x4.add(f32x4.splat(1), f32x4.add(half, half));
}
