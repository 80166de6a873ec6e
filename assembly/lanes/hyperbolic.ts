// Hyperbolic sine and cosine and the inverses of all three on four f32 lanes, by Cephes' sinhf, asinhf, acoshf and atanhf (Moshier,
// netlib.org/cephes/single.tgz). tanh has a file of its own.

import { exp } from "./exp";
import { logOfAny } from "./log";

/** (e^|x| ∓ e^−|x|) / 2 by e^(|x| / 2), which does not overflow before the result does. */
function halfPower(size: v128): v128 {
  return exp(f32x4.mul(size, f32x4.splat(0.5)));
}

/** Within 4 ulp. */
export function sinh(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(2.03721912945e-4);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(8.33028376239e-3));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.66667160211e-1));
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const e = halfPower(size);
  const half = f32x4.mul(e, f32x4.splat(0.5));
  const large = f32x4.sub(f32x4.mul(half, e), f32x4.div(f32x4.div(f32x4.splat(0.5), e), e));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.lt(size, f32x4.splat(1)));
}

/** Within 4 ulp. */
export function cosh(x: v128): v128 {
  const e = halfPower(f32x4.abs(x));
  const half = f32x4.mul(e, f32x4.splat(0.5));
  return f32x4.add(f32x4.mul(half, e), f32x4.div(f32x4.div(f32x4.splat(0.5), e), e));
}

/** From here on √(x² ± 1) is x in f32, and ln(2x) is left. */
const LARGE: f32 = 8192;

/** ln(x + root), or ln 2x of a large x. */
function logOfSum(x: v128, root: v128): v128 {
  const isLarge = f32x4.ge(x, f32x4.splat(LARGE));
  const y = logOfAny(v128.bitselect(x, f32x4.add(x, root), isLarge));
  return f32x4.add(y, v128.and(f32x4.splat(0.6931471805599453), isLarge));
}

/** Within 4 ulp. */
export function asinh(x: v128): v128 {
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(2.0122003309e-2);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-4.2699340972e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(7.4847586088e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-1.6666288134e-1));
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const large = logOfSum(size, f32x4.sqrt(f32x4.add(z, f32x4.splat(1))));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.lt(size, f32x4.splat(0.5)));
}

/** Within 4 ulp; NaN where x < 1. */
export function acosh(x: v128): v128 {
  const z = f32x4.sub(x, f32x4.splat(1));
  let p = f32x4.splat(1.7596881071e-3);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-7.5272886713e-3));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.6454905019e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-1.1784741703e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.4142135263));
  const small = f32x4.mul(p, f32x4.sqrt(z));
  const large = logOfSum(x, f32x4.sqrt(f32x4.mul(z, f32x4.add(x, f32x4.splat(1)))));
  return v128.bitselect(small, large, f32x4.lt(z, f32x4.splat(0.5)));
}

/** Within 4 ulp; ±∞ of ±1, NaN beyond. */
export function atanh(x: v128): v128 {
  const one = f32x4.splat(1);
  const size = f32x4.abs(x);
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(1.81740078349e-1);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(8.24370301058e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.4669143173e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.997821645e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(3.33337300303e-1));
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const share = f32x4.div(f32x4.add(one, size), f32x4.sub(one, size));
  const large = f32x4.mul(logOfAny(share), f32x4.splat(0.5));
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)));
  return v128.bitselect(small, signed, f32x4.lt(size, f32x4.splat(0.5)));
}
