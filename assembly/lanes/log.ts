// ln x on four f32 lanes, by Cephes' logf (Moshier, netlib.org/cephes/single.tgz, logf.c).

/**
 * ln x for normal x > 0, within 1 ulp on the whole numbers to 5000; NaN stays NaN.
 *
 * x = 2^e·m with m in √½..√2, ln x = e·ln 2 + ln m, ln 2 in two parts.
 */
export function log(x: v128): v128 {
  // Subtracting the bits of √½ carries into the exponent exactly where m reaches √½.
  const bits = i32x4.sub(x, i32x4.splat(0x3f3504f3));
  const e = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const r = f32x4.sub(m, f32x4.splat(1));
  const z = f32x4.mul(r, r);
  let p = f32x4.splat(7.0376836292e-2);
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-1.151461031e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.167699874e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-1.2420140846e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1.4249322787e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-1.6668057665e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(2.0000714765e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(-2.4999993993e-1));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(3.3333331174e-1));
  let y = f32x4.mul(f32x4.mul(p, r), z);
  y = f32x4.add(y, f32x4.mul(e, f32x4.splat(-2.1219444e-4)));
  y = f32x4.sub(y, f32x4.mul(z, f32x4.splat(0.5)));
  y = f32x4.add(f32x4.add(r, y), f32x4.mul(e, f32x4.splat(0.693359375)));
  return f32x4.add(y, f32x4.sub(x, x));
}

/** ln x for every x, within 1 ulp: −∞ of 0, NaN below, ∞ of ∞, subnormal numbers as they are. */
export function logOfAny(x: v128): v128 {
  const zero = f32x4.splat(0);
  const isSmall = f32x4.lt(x, f32x4.splat(1.1754943508222875e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, isSmall);
  const y = f32x4.sub(log(scaled), v128.and(isSmall, f32x4.splat(15.942385152878742)));
  const known = v128.bitselect(f32x4.splat(-Infinity), y, f32x4.eq(x, zero));
  const most = v128.bitselect(x, known, f32x4.eq(x, f32x4.splat(Infinity)));
  return v128.or(most, f32x4.lt(x, zero));
}
