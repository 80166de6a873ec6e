// Lanes that only the float and elementwise kernels share: 4×4 transposition, sums and maxima over lanes.

import { storeWords, zipHigh32, zipLow32 } from "./simd";

/** The first `count` of eight 32-bit lanes to y; all of them from 8 on. */
export function storeWords8(y: usize, v0: v128, v1: v128, count: i32): void {
  storeWords(y, v0, count);
  if (count > 4) storeWords(y + 16, v1, count - 4);
}

/** v in its first `count` lanes, `rest` in the others. */
export function head4(v: v128, rest: v128, count: i32): v128 {
  return v128.bitselect(v, rest, i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count)));
}

/** (l0 + l2) + (l1 + l3): the sum of four f32 lanes, always in this order. */
export function sum4(v: v128): f32 {
  v = f32x4.add(v, i32x4.shuffle(v, v, 2, 3, 2, 3));
  return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
}

/** The largest of n elements in every lane; NaN is passed over. */
export function largest(x: usize, n: i32): v128 {
  const least = f32x4.splat(-Infinity);
  let m = least;
  for (let i = 0; i < n; i += 4) m = f32x4.pmax(m, head4(v128.load(x + ((<usize>i) << 2)), least, n - i));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  return f32x4.pmax(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
}

/** min(max(v, lo), hi) where v is never −0; NaN stays NaN. One instruction each, unlike f32x4.max. */
export function clamp(v: v128, lo: v128, hi: v128): v128 {
  return f32x4.pmin(f32x4.pmax(v, lo), hi);
}

/** What bounded adds first: −0, which changes nothing, or +0 where the lower bound is +0, so that −0 becomes +0. */
export function beforeBounds(lo: f32): v128 {
  return f32x4.splat(reinterpret<i32>(lo) == 0 ? 0 : -0.0);
}

/** min(max(v, lo), hi), hi not −0; NaN stays NaN. Three instructions, where f32x4.max alone is eight on x64. */
export function bounded(v: v128, before: v128, lo: v128, hi: v128): v128 {
  return clamp(f32x4.add(v, before), lo, hi);
}

/**
 * n values of four rows side by side: dst[i·step + r] = p_r[i] for i < n, r < 4. `step` in bytes.
 *
 *   p0 | a0 a1 a2 a3 ..        dst  | a0 b0 c0 d0 |
 *   p1 | b0 b1 b2 b3 ..   →  + step | a1 b1 c1 d1 |
 *   p2 | c0 c1 c2 c3 ..             | ..          |
 *   p3 | d0 d1 d2 d3 ..
 *
 * Rows are read up to 12 bytes past their end; writes are exact.
 */
export function interleave4(dst: usize, step: i32, p0: usize, p1: usize, p2: usize, p3: usize, n: i32): void {
  const step2 = step << 1;
  for (; n > 0; n -= 4, dst += step2, p0 += 16, p1 += 16, p2 += 16, p3 += 16) {
    const a = v128.load(p0);
    const b = v128.load(p1);
    const c = v128.load(p2);
    const d = v128.load(p3);
    const ab = zipLow32(a, b);
    const cd = zipLow32(c, d);
    const ab2 = zipHigh32(a, b);
    const cd2 = zipHigh32(c, d);
    v128.store(dst, i64x2.shuffle(ab, cd, 0, 2));
    if (n >= 4) {
      v128.store(dst + step, i64x2.shuffle(ab, cd, 1, 3));
      dst += step2;
      v128.store(dst, i64x2.shuffle(ab2, cd2, 0, 2));
      v128.store(dst + step, i64x2.shuffle(ab2, cd2, 1, 3));
      continue;
    }
    if (n > 1) v128.store(dst + step, i64x2.shuffle(ab, cd, 1, 3));
    if (n > 2) v128.store(dst + step2, i64x2.shuffle(ab2, cd2, 0, 2));
  }
}
