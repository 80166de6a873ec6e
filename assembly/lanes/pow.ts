// a^b on four f32 lanes, by way of f64: 2^(b · log₂|a|), within 1 ulp.

/** log₂ of |x|, exact to 2^−45 of itself and of its whole part: x = 2^e·m, m in √½..√2, ln m = 2·artanh((m − 1) / (m + 1)) as a series. */
function log2(x: v128): v128 {
  const root = i64x2.splat(0x3fe6a09e667f3bcd);
  const bits = i64x2.sub(f64x2.abs(x), root);
  const e = i64x2.shr_s(bits, 52);
  const octave = f64x2.convert_low_i32x4_s(i32x4.shuffle(e, e, 0, 2, 0, 2));
  const m = i64x2.add(v128.and(bits, i64x2.splat(0x000fffffffffffff)), root);
  const one = f64x2.splat(1);
  const t = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(t, t);
  let p = f64x2.splat(2.0 / 13.0);
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 11.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 9.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 7.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 5.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2.0 / 3.0));
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(2));
  const y = f64x2.add(octave, f64x2.mul(f64x2.mul(p, t), f64x2.splat(1.4426950408889634)));
  const size = f64x2.abs(x);
  const infinite = f64x2.splat(Infinity);
  const known = v128.bitselect(y, f64x2.neg(infinite), f64x2.gt(size, f64x2.splat(0)));
  // ∞ stays ∞, NaN stays NaN.
  return v128.bitselect(known, size, f64x2.lt(size, infinite));
}

/** 2^p, where f32 has it; 0 and ∞ beyond. */
function exp2(p: v128): v128 {
  p = f64x2.pmin(f64x2.pmax(p, f64x2.splat(-300)), f64x2.splat(300));
  const k = f64x2.nearest(p);
  const u = f64x2.mul(f64x2.sub(p, k), f64x2.splat(0.6931471805599453));
  let y = f64x2.splat(1.0 / 40320.0);
  y = f64x2.add(f64x2.mul(y, u), f64x2.splat(1.0 / 5040.0));
  y = f64x2.add(f64x2.mul(y, u), f64x2.splat(1.0 / 720.0));
  y = f64x2.add(f64x2.mul(y, u), f64x2.splat(1.0 / 120.0));
  y = f64x2.add(f64x2.mul(y, u), f64x2.splat(1.0 / 24.0));
  y = f64x2.add(f64x2.mul(y, u), f64x2.splat(1.0 / 6.0));
  y = f64x2.add(f64x2.mul(y, u), f64x2.splat(0.5));
  y = f64x2.add(f64x2.mul(y, u), f64x2.splat(1));
  y = f64x2.add(f64x2.mul(y, u), f64x2.splat(1));
  const octaves = i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(k));
  return i64x2.add(y, i64x2.shl(octaves, 52));
}

/** |a|^b of the lower two lanes. */
function lower(a: v128, b: v128): v128 {
  const power = f64x2.mul(f64x2.promote_low_f32x4(b), log2(f64x2.promote_low_f32x4(a)));
  return f32x4.demote_f64x2_zero(exp2(power));
}

function upper(v: v128): v128 {
  return i32x4.shuffle(v, v, 2, 3, 2, 3);
}

/** a^b as C's pow has it: 1 for b = 0 and a = 1; negative where a is and b is odd; NaN of a < 0 and a fraction. */
export function pow(a: v128, b: v128): v128 {
  const size = i32x4.shuffle(lower(a, b), lower(upper(a), upper(b)), 0, 1, 4, 5);
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  const isWhole = f32x4.eq(f32x4.trunc(b), b);
  const half = f32x4.mul(b, f32x4.splat(0.5));
  const isOdd = v128.andnot(isWhole, f32x4.eq(f32x4.trunc(half), half));
  const sign = v128.and(v128.and(a, isOdd), i32x4.splat(0x80000000));
  // |a| = 1 to the power of ±∞ is 1.
  const isOne = v128.and(f32x4.eq(f32x4.abs(a), one), f32x4.eq(f32x4.abs(b), f32x4.splat(Infinity)));
  const isFraction = v128.and(
    v128.and(f32x4.lt(a, zero), f32x4.gt(a, f32x4.splat(-Infinity))),
    v128.andnot(f32x4.eq(b, b), isWhole),
  );
  let y = v128.bitselect(one, v128.or(size, sign), isOne);
  y = v128.or(y, v128.andnot(isFraction, isOne));
  return v128.bitselect(one, y, v128.or(f32x4.eq(b, zero), f32x4.eq(a, one)));
}
