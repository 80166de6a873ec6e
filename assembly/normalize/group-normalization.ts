// Normalization of groups of channels, in two passes for the statistics and one for the result.

import { head4, sum4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";

class Sums {
  /**
   * Σ (x − m) of n elements, or Σ (x − m)²: of sixteen at a time four vectors, those of the end in the first; (v0 + v2) + (v1 + v3), then
   * (l0 + l2) + (l1 + l3).
   */
  @inline
  static of(x: usize, n: i32, m: v128, isSquared: bool): f32 {
    const zero = f32x4.splat(0);
    let a = zero;
    let b = zero;
    let c = zero;
    let d = zero;
    for (; n >= 16; n -= 16, x += 64) {
      a = f32x4.add(a, Sums.term(v128.load(x), m, isSquared));
      b = f32x4.add(b, Sums.term(v128.load(x, 16), m, isSquared));
      c = f32x4.add(c, Sums.term(v128.load(x, 32), m, isSquared));
      d = f32x4.add(d, Sums.term(v128.load(x, 48), m, isSquared));
    }
    for (; n > 0; n -= 4, x += 16) a = f32x4.add(a, head4(Sums.term(v128.load(x), m, isSquared), zero, n));
    return sum4(f32x4.add(f32x4.add(a, c), f32x4.add(b, d)));
  }

  @inline
  static term(v: v128, m: v128, isSquared: bool): v128 {
    if (!isSquared) return v;
    const distance = f32x4.sub(v, m);
    return f32x4.mul(distance, distance);
  }
}

/**
 * y = (x − m)·(s·scale) + bias, m the mean of a group and s = 1 / √(its variance + epsilon): x and y [samples][groups][runs][size], scale
 * and bias for each of `scales` runs, which are in all groups together or one a group.
 *
 * Range: groups of all samples. y may be x.
 */
export function groupNormalization(
  y: usize,
  x: usize,
  scale: usize,
  bias: usize,
  groups: i32,
  runs: i32,
  size: i32,
  scales: i32,
  epsilon: f32,
  begin: i32,
  end: i32,
): void {
  const zero = f32x4.splat(0);
  const all = runs * size;
  const perScale = (groups * runs) / scales;
  for (let g = begin; g < end; g++) {
    let at = (<usize>(g * all)) << 2;
    const m = f32x4.splat(Sums.of(x + at, all, zero, false) / <f32>all);
    const variance = Sums.of(x + at, all, m, true) / <f32>all;
    const s = <f32>1 / sqrt<f32>(variance + epsilon);
    const first = (g % groups) * runs;
    for (let r = 0; r < runs; r++) {
      const own = (<usize>((first + r) / perScale)) << 2;
      const factor = f32x4.splat(s * load<f32>(scale + own));
      const shift = v128.load32_splat(bias + own);
      const last = at + ((<usize>size) << 2);
      for (let left = size; at < last; at += 16, left -= 4) {
        const v = f32x4.mul(f32x4.sub(v128.load(x + at), m), factor);
        storeWords(y + at, f32x4.add(v, shift), left);
      }
      at = last;
    }
  }
}
