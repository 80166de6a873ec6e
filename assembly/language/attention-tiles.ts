// Products of attention over floats: scores of one or four queries and some keys, sums of values of one or four queries. attention.ts has
// the order of their sums.

import { head4 } from "../lanes/lanes";
import { zipHigh32, zipLow32 } from "../lanes/simd";
import { queryFloats } from "./attention-sizes";

/** (l0 + l2) + (l1 + l3) of each of four vectors. */
function sums4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(zipLow32(a, b), zipHigh32(a, b));
  const cd = f32x4.add(zipLow32(c, d), zipHigh32(c, d));
  return f32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

/**
 * Scores of one query and `count` keys, `step` bytes apart, four at a time; up to three more are written. Zeros lie behind q up to a
 * multiple of 4.
 */
export function scores1(
  to: usize,
  q: usize,
  k: usize,
  step: usize,
  count: i32,
  size: i32,
  scale: v128,
): void {
  const zero = f32x4.splat(0);
  const last = k + <usize>(count - 1) * step;
  for (let j = 0; j < count; j += 4, k += 4 * step, to += 16) {
    const k1 = min(k + step, last);
    const k2 = min(k + 2 * step, last);
    const k3 = min(k + 3 * step, last);
    let a = zero;
    let b = zero;
    let c = zero;
    let d = zero;
    let at: usize = 0;
    for (let left = size; left > 0; left -= 4, at += 16) {
      const x = v128.load(q + at);
      let x0 = v128.load(k + at);
      let x1 = v128.load(k1 + at);
      let x2 = v128.load(k2 + at);
      let x3 = v128.load(k3 + at);
      if (left < 4) {
        x0 = head4(x0, zero, left);
        x1 = head4(x1, zero, left);
        x2 = head4(x2, zero, left);
        x3 = head4(x3, zero, left);
      }
      a = f32x4.add(a, f32x4.mul(x, x0));
      b = f32x4.add(b, f32x4.mul(x, x1));
      c = f32x4.add(c, f32x4.mul(x, x2));
      d = f32x4.add(d, f32x4.mul(x, x3));
    }
    v128.store(to, f32x4.mul(sums4(a, b, c, d), scale));
  }
}

/** The same of four queries, whose scores are `ld` bytes apart, two keys at a time; up to one more is written. */
export function scores4(
  to: usize,
  ld: usize,
  q0: usize,
  k: usize,
  step: usize,
  count: i32,
  size: i32,
  scale: v128,
): void {
  const zero = f32x4.splat(0);
  const pitch = queryFloats(size);
  const q1 = q0 + pitch;
  const q2 = q1 + pitch;
  const q3 = q2 + pitch;
  for (let j = 0; j < count; j += 2, k += 2 * step, to += 8) {
    const next = j + 1 < count ? k + step : k;
    let a0 = zero;
    let a1 = zero;
    let b0 = zero;
    let b1 = zero;
    let c0 = zero;
    let c1 = zero;
    let d0 = zero;
    let d1 = zero;
    let at: usize = 0;
    for (let left = size; left > 0; left -= 4, at += 16) {
      let x0 = v128.load(k + at);
      let x1 = v128.load(next + at);
      if (left < 4) {
        x0 = head4(x0, zero, left);
        x1 = head4(x1, zero, left);
      }
      let q = v128.load(q0 + at);
      a0 = f32x4.add(a0, f32x4.mul(q, x0));
      a1 = f32x4.add(a1, f32x4.mul(q, x1));
      q = v128.load(q1 + at);
      b0 = f32x4.add(b0, f32x4.mul(q, x0));
      b1 = f32x4.add(b1, f32x4.mul(q, x1));
      q = v128.load(q2 + at);
      c0 = f32x4.add(c0, f32x4.mul(q, x0));
      c1 = f32x4.add(c1, f32x4.mul(q, x1));
      q = v128.load(q3 + at);
      d0 = f32x4.add(d0, f32x4.mul(q, x0));
      d1 = f32x4.add(d1, f32x4.mul(q, x1));
    }
    const first = f32x4.mul(sums4(a0, a1, b0, b1), scale);
    const second = f32x4.mul(sums4(c0, c1, d0, d1), scale);
    v128.store64_lane(to, first, 0);
    v128.store64_lane(to + ld, first, 1);
    v128.store64_lane(to + 2 * ld, second, 0);
    v128.store64_lane(to + 3 * ld, second, 1);
  }
}

/** sums[c] += Σ_j e[j]·v[j][c] over `count` keys, 16 columns at a time. */
export function values1(sums: usize, columns: i32, e: usize, v: usize, step: usize, count: i32): void {
  if (count <= 0) return;
  if (count <= 0) return;
  for (let c = 0; c < columns; c += 16, sums += 64, v += 64) {
    let y0 = v128.load(sums);
    let y1 = v128.load(sums, 16);
    let y2 = v128.load(sums, 32);
    let y3 = v128.load(sums, 48);
    let at = v;
    for (let j = 0; j < count; j++, at += step) {
      const p = v128.load32_splat(e + ((<usize>j) << 2));
      y0 = f32x4.add(y0, f32x4.mul(p, v128.load(at)));
      y1 = f32x4.add(y1, f32x4.mul(p, v128.load(at, 16)));
      y2 = f32x4.add(y2, f32x4.mul(p, v128.load(at, 32)));
      y3 = f32x4.add(y3, f32x4.mul(p, v128.load(at, 48)));
    }
    v128.store(sums, y0);
    v128.store(sums, y1, 16);
    v128.store(sums, y2, 32);
    v128.store(sums, y3, 48);
  }
}

/** The same of four queries, whose shares are `ld` bytes apart, 8 columns at a time. */
export function values4(
  sums: usize,
  columns: i32,
  e: usize,
  ld: usize,
  v: usize,
  step: usize,
  count: i32,
): void {
  const row = (<usize>columns) << 2;
  for (let c = 0; c < columns; c += 8, sums += 32, v += 32) {
    let a0 = v128.load(sums);
    let a1 = v128.load(sums, 16);
    let b0 = v128.load(sums + row);
    let b1 = v128.load(sums + row, 16);
    let c0 = v128.load(sums + 2 * row);
    let c1 = v128.load(sums + 2 * row, 16);
    let d0 = v128.load(sums + 3 * row);
    let d1 = v128.load(sums + 3 * row, 16);
    let at = v;
    let p = e;
    for (let j = 0; j < count; j++, at += step, p += 4) {
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      let share = v128.load32_splat(p);
      a0 = f32x4.add(a0, f32x4.mul(share, x0));
      a1 = f32x4.add(a1, f32x4.mul(share, x1));
      share = v128.load32_splat(p + ld);
      b0 = f32x4.add(b0, f32x4.mul(share, x0));
      b1 = f32x4.add(b1, f32x4.mul(share, x1));
      share = v128.load32_splat(p + 2 * ld);
      c0 = f32x4.add(c0, f32x4.mul(share, x0));
      c1 = f32x4.add(c1, f32x4.mul(share, x1));
      share = v128.load32_splat(p + 3 * ld);
      d0 = f32x4.add(d0, f32x4.mul(share, x0));
      d1 = f32x4.add(d1, f32x4.mul(share, x1));
    }
    v128.store(sums, a0);
    v128.store(sums, a1, 16);
    v128.store(sums + row, b0);
    v128.store(sums + row, b1, 16);
    v128.store(sums + 2 * row, c0);
    v128.store(sums + 2 * row, c1, 16);
    v128.store(sums + 3 * row, d0);
    v128.store(sums + 3 * row, d1, 16);
  }
}
