// Sine, cosine and tangent on four f32 lanes. The angle is reduced by quarter turns in f64, of which π/2 is taken in three parts, or,
// where it is large, as a fraction of 2/π bit by bit (Payne and Hanek, Radian reduction for trigonometric functions, 1983); then the
// polynomials of Cephes' sinf and cosf (Moshier, netlib.org/cephes/single.tgz, sinf.c).

/** Below it, quarter turns times the parts of π/2 are exact in f64. */
const LARGE: f32 = 134217728;

/** Bits of 2/π behind its point, 64 at a time. */
function twoOverPi(i: i32): i64 {
  if (i == 0) return 0xa2f9836e4e441529;
  if (i == 1) return 0xfc2757d1f534ddc0;
  if (i == 2) return 0xdb6295993c439041;
  return 0xfe5163abdebbc561;
}

/** 64 of these bits from bit `at` on. */
function bitsAt(at: i32): i64 {
  const shift = <i64>(at & 63);
  const first = twoOverPi(at >> 6);
  return shift == 0 ? first : (first << shift) | (twoOverPi((at >> 6) + 1) >>> (64 - shift));
}

/** Quarter turns of a large x, 2^62 each, less whole turns: x is m·2^s, and bits of 2/π above a turn's do not count. */
function fixedTurns(x: f32): i64 {
  const bits = reinterpret<i32>(x);
  const m = <i64>((bits & 0x007fffff) | 0x00800000);
  const at = ((bits & 0x7fffffff) >> 23) - 152;
  const turns = m * bitsAt(at) + ((m * (bitsAt(at + 64) >>> 32)) >>> 32);
  return bits < 0 ? -turns : turns;
}

/** The whole quarter turns of a large x. */
function largeQuarters(x: f32): i32 {
  return <i32>((fixedTurns(x) + 0x2000000000000000) >>> 62);
}

/** What is left of a large x beyond them. */
function largeRest(x: f32): f32 {
  return <f32>(<f64>((fixedTurns(x) << 2) >> 2) * 3.406121580086554e-19);
}

/** Whole quarter turns of two lanes. */
function turns(x: v128): v128 {
  return f64x2.nearest(f64x2.mul(f64x2.promote_low_f32x4(x), f64x2.splat(0.6366197723675814)));
}

/** What is left of two lanes. */
function restOf(x: v128): v128 {
  const k = turns(x);
  let r = f64x2.sub(f64x2.promote_low_f32x4(x), f64x2.mul(k, f64x2.splat(1.5707963109016418)));
  r = f64x2.sub(r, f64x2.mul(k, f64x2.splat(1.5893254712295857e-8)));
  return f32x4.demote_f64x2_zero(f64x2.sub(r, f64x2.mul(k, f64x2.splat(6.123233995736766e-17))));
}

function upper(v: v128): v128 {
  return i32x4.shuffle(v, v, 2, 3, 2, 3);
}

function isAnyLarge(x: v128): bool {
  return v128.any_true(f32x4.ge(f32x4.abs(x), f32x4.splat(LARGE)));
}

function largeOr(x: f32, quarters: i32): i32 {
  return abs<f32>(x) >= LARGE ? largeQuarters(x) : quarters;
}

/** The whole quarter turns of x, of which the low two bits count. */
function quartersOf(x: v128): v128 {
  const low = i32x4.trunc_sat_f64x2_s_zero(turns(x));
  let k = i32x4.shuffle(low, i32x4.trunc_sat_f64x2_s_zero(turns(upper(x))), 0, 1, 4, 5);
  if (!isAnyLarge(x)) return k;
  k = i32x4.replace_lane(k, 0, largeOr(f32x4.extract_lane(x, 0), i32x4.extract_lane(k, 0)));
  k = i32x4.replace_lane(k, 1, largeOr(f32x4.extract_lane(x, 1), i32x4.extract_lane(k, 1)));
  k = i32x4.replace_lane(k, 2, largeOr(f32x4.extract_lane(x, 2), i32x4.extract_lane(k, 2)));
  return i32x4.replace_lane(k, 3, largeOr(f32x4.extract_lane(x, 3), i32x4.extract_lane(k, 3)));
}

function largeRestOr(x: f32, rest: f32): f32 {
  return abs<f32>(x) >= LARGE ? largeRest(x) : rest;
}

/** x less its whole quarter turns: −π/4 to π/4. */
function reduced(x: v128): v128 {
  let r = i32x4.shuffle(restOf(x), restOf(upper(x)), 0, 1, 4, 5);
  if (!isAnyLarge(x)) return r;
  r = f32x4.replace_lane(r, 0, largeRestOr(f32x4.extract_lane(x, 0), f32x4.extract_lane(r, 0)));
  r = f32x4.replace_lane(r, 1, largeRestOr(f32x4.extract_lane(x, 1), f32x4.extract_lane(r, 1)));
  r = f32x4.replace_lane(r, 2, largeRestOr(f32x4.extract_lane(x, 2), f32x4.extract_lane(r, 2)));
  return f32x4.replace_lane(r, 3, largeRestOr(f32x4.extract_lane(x, 3), f32x4.extract_lane(r, 3)));
}

/** sin r for |r| ≤ π/4. */
function sineOf(r: v128): v128 {
  const z = f32x4.mul(r, r);
  let p = f32x4.splat(-1.9515295891e-4);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(8.3321608736e-3));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-1.6666654611e-1));
  return f32x4.add(f32x4.mul(f32x4.mul(p, z), r), r);
}

/** cos r for |r| ≤ π/4. */
function cosineOf(r: v128): v128 {
  const z = f32x4.mul(r, r);
  let p = f32x4.splat(2.443315711809948e-5);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-1.388731625493765e-3));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(4.166664568298827e-2));
  const tail = f32x4.mul(f32x4.mul(p, z), z);
  return f32x4.add(f32x4.sub(tail, f32x4.mul(z, f32x4.splat(0.5))), f32x4.splat(1));
}

/** All ones where k is odd. */
function oddOf(k: v128): v128 {
  return i32x4.shr_s(i32x4.shl(k, 31), 31);
}

/** sin(r + k·π/2); NaN where x − x is. */
function sineAt(x: v128, r: v128, k: v128): v128 {
  const y = v128.bitselect(cosineOf(r), sineOf(r), oddOf(k));
  const sign = i32x4.shl(i32x4.shr_u(k, 1), 31);
  return f32x4.add(v128.xor(y, sign), f32x4.sub(x, x));
}

/** Within 2 ulp; NaN of ∞. */
export function sin(x: v128): v128 {
  return v128.bitselect(x, sineAt(x, reduced(x), quartersOf(x)), f32x4.eq(x, f32x4.splat(0)));
}

/** Within 2 ulp; NaN of ∞. */
export function cos(x: v128): v128 {
  return sineAt(x, reduced(x), i32x4.add(quartersOf(x), i32x4.splat(1)));
}

/** Within 4 ulp; NaN of ∞. */
export function tan(x: v128): v128 {
  const r = reduced(x);
  const odd = oddOf(quartersOf(x));
  const s = sineOf(r);
  const c = cosineOf(r);
  const y = f32x4.div(v128.bitselect(f32x4.neg(c), s, odd), v128.bitselect(s, c, odd));
  return v128.bitselect(x, f32x4.add(y, f32x4.sub(x, x)), f32x4.eq(x, f32x4.splat(0)));
}
