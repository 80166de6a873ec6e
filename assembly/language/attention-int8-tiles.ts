// Products of attention over codes: scores of one or four queries and some keys, shares of a tile, sums of values of one or four
// queries. attention-int8.ts has what they are.

import { interleave4 } from "../lanes/lanes";
import { zipHigh16, zipHigh32, zipLow16, zipLow32 } from "../lanes/simd";
import { Row } from "./attention-rows";
import { queryCodes, ROW, TILE } from "./attention-sizes";

/** to[g][j] = from[j][g], the scales of a tile: `groups` heads of 32 keys, `step` bytes apart; there are `count` keys. */
export function turn(to: usize, from: usize, groups: i32, step: usize, count: i32): void {
  const last = from + <usize>(count - 1) * step;
  for (let j = 0; j < TILE; j += 4, to += 16, from += 4 * step)
    interleave4(
      to,
      TILE * 4,
      min(from, last),
      min(from + step, last),
      min(from + 2 * step, last),
      min(from + 3 * step, last),
      groups,
    );
}

/** The sums of the lanes of four vectors. */
function sums4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(zipLow32(a, b), zipHigh32(a, b));
  const cd = i32x4.add(zipLow32(c, d), zipHigh32(c, d));
  return i32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

/** Sums of products that become scores. */
function scaled(sums: v128, factor: v128, scales: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(sums), f32x4.mul(factor, scales));
}

/** Scores of one query and `count` keys, `step` bytes apart, four at a time; up to three more are written. */
export function scores1(
  to: usize,
  row: Row,
  k: usize,
  step: usize,
  scales: usize,
  count: i32,
  size: i32,
): void {
  const zero = i32x4.splat(0);
  const factor = f32x4.splat(row.scale);
  const last = k + <usize>(count - 1) * step;
  const q = row.q;
  for (let j = 0; j < count; j += 4, k += 4 * step, to += 16, scales += 16) {
    const k1 = min(k + step, last);
    const k2 = min(k + 2 * step, last);
    const k3 = min(k + 3 * step, last);
    let a = zero;
    let b = zero;
    let c = zero;
    let d = zero;
    for (let i: usize = 0; i < <usize>size; i += 16) {
      let x = v128.load(q + (i << 1));
      a = i32x4.add(a, i32x4.dot_i16x8_s(x, v128.load8x8_s(k + i)));
      b = i32x4.add(b, i32x4.dot_i16x8_s(x, v128.load8x8_s(k1 + i)));
      c = i32x4.add(c, i32x4.dot_i16x8_s(x, v128.load8x8_s(k2 + i)));
      d = i32x4.add(d, i32x4.dot_i16x8_s(x, v128.load8x8_s(k3 + i)));
      x = v128.load(q + (i << 1), 16);
      a = i32x4.add(a, i32x4.dot_i16x8_s(x, v128.load8x8_s(k + i, 8)));
      b = i32x4.add(b, i32x4.dot_i16x8_s(x, v128.load8x8_s(k1 + i, 8)));
      c = i32x4.add(c, i32x4.dot_i16x8_s(x, v128.load8x8_s(k2 + i, 8)));
      d = i32x4.add(d, i32x4.dot_i16x8_s(x, v128.load8x8_s(k3 + i, 8)));
    }
    v128.store(to, scaled(sums4(a, b, c, d), factor, v128.load(scales)));
  }
}

/** The same of four queries, whose scores are `ld` bytes apart, two keys at a time; up to one more is written. */
export function scores4(
  to: usize,
  ld: usize,
  row: usize,
  k: usize,
  step: usize,
  scales: usize,
  count: i32,
  size: i32,
): void {
  const zero = i32x4.splat(0);
  const pitch = queryCodes(size);
  const first = changetype<Row>(row);
  const q0 = first.q;
  const q1 = q0 + pitch;
  const q2 = q1 + pitch;
  const q3 = q2 + pitch;
  const f0 = f32x4.splat(first.scale);
  const f1 = f32x4.splat(changetype<Row>(row + ROW).scale);
  const f2 = f32x4.splat(changetype<Row>(row + 2 * ROW).scale);
  const f3 = f32x4.splat(changetype<Row>(row + 3 * ROW).scale);
  const low = i64x2.shuffle(f0, f1, 0, 2);
  const high = i64x2.shuffle(f2, f3, 0, 2);
  for (let j = 0; j < count; j += 2, k += 2 * step, to += 8, scales += 8) {
    const next = j + 1 < count ? k + step : k;
    let a0 = zero;
    let a1 = zero;
    let b0 = zero;
    let b1 = zero;
    let c0 = zero;
    let c1 = zero;
    let d0 = zero;
    let d1 = zero;
    for (let i: usize = 0; i < <usize>size; i += 16) {
      let x0 = v128.load8x8_s(k + i);
      let x1 = v128.load8x8_s(next + i);
      let q = v128.load(q0 + (i << 1));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(q, x0));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(q, x1));
      q = v128.load(q1 + (i << 1));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(q, x0));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(q, x1));
      q = v128.load(q2 + (i << 1));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q, x0));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q, x1));
      q = v128.load(q3 + (i << 1));
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(q, x0));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(q, x1));
      x0 = v128.load8x8_s(k + i, 8);
      x1 = v128.load8x8_s(next + i, 8);
      q = v128.load(q0 + (i << 1), 16);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(q, x0));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(q, x1));
      q = v128.load(q1 + (i << 1), 16);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(q, x0));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(q, x1));
      q = v128.load(q2 + (i << 1), 16);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q, x0));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q, x1));
      q = v128.load(q3 + (i << 1), 16);
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(q, x0));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(q, x1));
    }
    const s = v128.load64_splat(scales);
    const ab = scaled(sums4(a0, a1, b0, b1), low, s);
    const cd = scaled(sums4(c0, c1, d0, d1), high, s);
    v128.store64_lane(to, ab, 0);
    v128.store64_lane(to + ld, ab, 1);
    v128.store64_lane(to + 2 * ld, cd, 0);
    v128.store64_lane(to + 3 * ld, cd, 1);
  }
}

/** Below it 127 / t overflows. */
const LEAST: f32 = 1.504632769052528e-36;

/** Shares of a tile, w = e · scales, as u, i16; returns their unit, t / 127. w is written over e. */
export function shares(to: usize, e: usize, scales: usize): f32 {
  let m = f32x4.splat(0);
  for (let i: usize = 0; i < <usize>(TILE * 4); i += 16) {
    const w = f32x4.mul(v128.load(e + i), v128.load(scales + i));
    v128.store(e + i, w);
    m = f32x4.pmax(m, w);
  }
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
  const most = f32x4.extract_lane(m, 0);
  const isNone = most < LEAST;
  const factor = f32x4.splat(isNone ? 0 : 127 / most);
  for (let i: usize = 0; i < <usize>(TILE * 4); i += 32, to += 16) {
    const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(e + i), factor)));
    const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(e + i, 16), factor)));
    v128.store(to, i16x8.narrow_i32x4_s(low, high));
  }
  return isNone ? 0 : most / 127;
}

/** sums += f32(sum) · unit, four columns. */
function add(sums: usize, sum: v128, unit: v128): void {
  v128.store(sums, f32x4.add(v128.load(sums), f32x4.mul(f32x4.convert_i32x4_s(sum), unit)));
}

/** sums[c] += f32(Σ_j u[j]·v[j][c]) · unit over `count` keys, by pairs, the last of which may be one key; 32 columns at a time. */
export function values1(
  sums: usize,
  columns: i32,
  unit: f32,
  u: usize,
  v: usize,
  step: usize,
  count: i32,
): void {
  const zero = i32x4.splat(0);
  const factor = f32x4.splat(unit);
  for (let c = 0; c < columns; c += 32, sums += 128, v += 32) {
    let y0 = zero;
    let y1 = zero;
    let y2 = zero;
    let y3 = zero;
    let y4 = zero;
    let y5 = zero;
    let y6 = zero;
    let y7 = zero;
    let at = v;
    let p = u;
    for (let j = 0; j < count; j += 2, at += 2 * step, p += 4) {
      const next = j + 1 < count ? at + step : at;
      const share = v128.load32_splat(p);
      let a = v128.load8x8_s(at);
      let b = v128.load8x8_s(next);
      y0 = i32x4.add(y0, i32x4.dot_i16x8_s(zipLow16(a, b), share));
      y1 = i32x4.add(y1, i32x4.dot_i16x8_s(zipHigh16(a, b), share));
      a = v128.load8x8_s(at, 8);
      b = v128.load8x8_s(next, 8);
      y2 = i32x4.add(y2, i32x4.dot_i16x8_s(zipLow16(a, b), share));
      y3 = i32x4.add(y3, i32x4.dot_i16x8_s(zipHigh16(a, b), share));
      a = v128.load8x8_s(at, 16);
      b = v128.load8x8_s(next, 16);
      y4 = i32x4.add(y4, i32x4.dot_i16x8_s(zipLow16(a, b), share));
      y5 = i32x4.add(y5, i32x4.dot_i16x8_s(zipHigh16(a, b), share));
      a = v128.load8x8_s(at, 24);
      b = v128.load8x8_s(next, 24);
      y6 = i32x4.add(y6, i32x4.dot_i16x8_s(zipLow16(a, b), share));
      y7 = i32x4.add(y7, i32x4.dot_i16x8_s(zipHigh16(a, b), share));
    }
    add(sums, y0, factor);
    add(sums + 16, y1, factor);
    add(sums + 32, y2, factor);
    add(sums + 48, y3, factor);
    add(sums + 64, y4, factor);
    add(sums + 80, y5, factor);
    add(sums + 96, y6, factor);
    add(sums + 112, y7, factor);
  }
}

/** The same of four queries, 8 columns at a time. */
export function values4(
  sums: usize,
  columns: i32,
  row: usize,
  u: usize,
  v: usize,
  step: usize,
  count: i32,
): void {
  const zero = i32x4.splat(0);
  const ld = (<usize>columns) << 2;
  const f0 = f32x4.splat(changetype<Row>(row).unit);
  const f1 = f32x4.splat(changetype<Row>(row + ROW).unit);
  const f2 = f32x4.splat(changetype<Row>(row + 2 * ROW).unit);
  const f3 = f32x4.splat(changetype<Row>(row + 3 * ROW).unit);
  for (let c = 0; c < columns; c += 8, sums += 32, v += 8) {
    let a0 = zero;
    let a1 = zero;
    let b0 = zero;
    let b1 = zero;
    let c0 = zero;
    let c1 = zero;
    let d0 = zero;
    let d1 = zero;
    let at = v;
    let p = u;
    for (let j = 0; j < count; j += 2, at += 2 * step, p += 4) {
      const a = v128.load8x8_s(at);
      const b = v128.load8x8_s(j + 1 < count ? at + step : at);
      const low = zipLow16(a, b);
      const high = zipHigh16(a, b);
      let share = v128.load32_splat(p);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(low, share));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(high, share));
      share = v128.load32_splat(p, 2 * TILE);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(low, share));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(high, share));
      share = v128.load32_splat(p, 4 * TILE);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(low, share));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(high, share));
      share = v128.load32_splat(p, 6 * TILE);
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(low, share));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(high, share));
    }
    add(sums, a0, f0);
    add(sums + 16, a1, f0);
    add(sums + ld, b0, f1);
    add(sums + ld + 16, b1, f1);
    add(sums + 2 * ld, c0, f2);
    add(sums + 2 * ld + 16, c1, f2);
    add(sums + 3 * ld, d0, f3);
    add(sums + 3 * ld + 16, d1, f3);
  }
}
