// tanh x on four f32 lanes, by Cephes' tanhf (Moshier, netlib.org/cephes/single.tgz, tanhf.c).

import { exp } from "./exp";

/** Below 0.625 x + x³·P(x²), from there on 1 − 2 / (e^2|x| + 1) with the sign of x: within 2 ulp. NaN stays NaN. */
export function tanh(x: v128): v128 {
  const sign = i32x4.splat(0x80000000);
  const size = v128.andnot(x, sign);
  const z = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, z), f32x4.splat(-3.33332819422e-1));
  const small = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x);
  const e = exp(f32x4.add(size, size));
  const one = f32x4.splat(1);
  const large = f32x4.sub(one, f32x4.div(f32x4.splat(2), f32x4.add(e, one)));
  const signed = v128.or(large, v128.and(x, sign));
  return v128.bitselect(small, signed, f32x4.lt(size, f32x4.splat(0.625)));
}
