// Symmetric codes of the heads of a token: x ≈ code · scale, codes −127..127.

import { head4 } from "../lanes/lanes";

/** max |x| / 127; 1 where that is no normal number: all codes are 0 then. NaN is passed over. */
export function scaleOf(x: usize, n: i32): f32 {
  const zero = f32x4.splat(0);
  let m = zero;
  for (let i = 0; i < n; i += 4)
    m = f32x4.pmax(m, head4(f32x4.abs(v128.load(x + ((<usize>i) << 2))), zero, n - i));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
  const scale = f32x4.extract_lane(m, 0) / 127;
  return scale < 1.1754943508222875e-38 ? 1 : scale;
}

/** rne(x / scale) of four elements, i32; NaN becomes 0. */
export function codes4(x: usize, scale: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.div(v128.load(x), scale)));
}
