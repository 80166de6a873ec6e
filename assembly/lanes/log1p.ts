// ln(1 + u) on four f32 lanes.

import { log } from "./log";

/**
 * ln(1 + u) for 0 ≤ u ≤ 1, within 2 ulp: ln w + (u − (w − 1)) / w, w = f32(1 + u). The difference w − 1 is exact, so the second
 * term is what rounding w left out, and where w is 1 it is u itself.
 */
export function log1p(u: v128): v128 {
  const one = f32x4.splat(1);
  const w = f32x4.add(one, u);
  return f32x4.add(log(w), f32x4.div(f32x4.sub(u, f32x4.sub(w, one)), w));
}
