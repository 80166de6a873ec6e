// Products of attention over codes by pairs of 16 bits, which every engine has. attention-int8.ts has what they are, cache.ts how tiles lie.

import { multiplyAdd16 } from "../int8/multiply-add";
import { BLOCK, TILE } from "./attention-sizes";

/** Pairs of neighbours of two vectors, added. */
function pairs(a: v128, b: v128): v128 {
  return i32x4.add(i32x4.shuffle(a, b, 0, 2, 4, 6), i32x4.shuffle(a, b, 1, 3, 5, 7));
}

/** A block of a query's codes, i32: four of 16 bits. */
export function storeQuery16(to: usize, codes: v128): void {
  v128.store64_lane(to, i16x8.narrow_i32x4_s(codes, codes), 0);
}

/** Shares of two blocks of keys, i32: 16 bits each. */
export function storeShares16(to: usize, first: v128, second: v128): void {
  v128.store(to, i16x8.narrow_i32x4_s(first, second));
}

/** A tile of so many codes as i16, for queries that share it: to widen a code takes as long as to multiply it. */
export function openTile(to: usize, codes: usize, bytes: i32): void {
  for (const end = to + ((<usize>bytes) << 1); to < end; to += 32, codes += 16) {
    v128.store(to, v128.load8x8_s(codes));
    v128.store(to, v128.load8x8_s(codes, 8), 16);
  }
}

/** Sums Σ_d q·k of 16 keys, i32. */
export function scores16(to: usize, q: usize, k: usize, blocks: i32): void {
  const zero = i32x4.splat(0);
  let c0 = zero;
  let c1 = zero;
  let c2 = zero;
  let c3 = zero;
  let c4 = zero;
  let c5 = zero;
  let c6 = zero;
  let c7 = zero;
  for (const stop = q + ((<usize>blocks) << 3); q < stop; q += 8, k += BLOCK * TILE) {
    const x = v128.load64_splat(q);
    c0 = multiplyAdd16(c0, x, v128.load8x8_s(k));
    c1 = multiplyAdd16(c1, x, v128.load8x8_s(k, 8));
    c2 = multiplyAdd16(c2, x, v128.load8x8_s(k, 16));
    c3 = multiplyAdd16(c3, x, v128.load8x8_s(k, 24));
    c4 = multiplyAdd16(c4, x, v128.load8x8_s(k, 32));
    c5 = multiplyAdd16(c5, x, v128.load8x8_s(k, 40));
    c6 = multiplyAdd16(c6, x, v128.load8x8_s(k, 48));
    c7 = multiplyAdd16(c7, x, v128.load8x8_s(k, 56));
  }
  v128.store(to, pairs(c0, c1));
  v128.store(to, pairs(c2, c3), 16);
  v128.store(to, pairs(c4, c5), 32);
  v128.store(to, pairs(c6, c7), 48);
}

/** The same, of an opened tile. */
export function scoresOpen(to: usize, q: usize, k: usize, blocks: i32): void {
  const zero = i32x4.splat(0);
  let c0 = zero;
  let c1 = zero;
  let c2 = zero;
  let c3 = zero;
  let c4 = zero;
  let c5 = zero;
  let c6 = zero;
  let c7 = zero;
  for (const stop = q + ((<usize>blocks) << 3); q < stop; q += 8, k += 2 * BLOCK * TILE) {
    const x = v128.load64_splat(q);
    c0 = multiplyAdd16(c0, x, v128.load(k));
    c1 = multiplyAdd16(c1, x, v128.load(k, 16));
    c2 = multiplyAdd16(c2, x, v128.load(k, 32));
    c3 = multiplyAdd16(c3, x, v128.load(k, 48));
    c4 = multiplyAdd16(c4, x, v128.load(k, 64));
    c5 = multiplyAdd16(c5, x, v128.load(k, 80));
    c6 = multiplyAdd16(c6, x, v128.load(k, 96));
    c7 = multiplyAdd16(c7, x, v128.load(k, 112));
  }
  v128.store(to, pairs(c0, c1));
  v128.store(to, pairs(c2, c3), 16);
  v128.store(to, pairs(c4, c5), 32);
  v128.store(to, pairs(c6, c7), 48);
}

/** sums += f32(sum) · unit, four columns. */
function weigh(sums: usize, a: v128, b: v128, unit: v128): void {
  v128.store(sums, f32x4.add(v128.load(sums), f32x4.mul(f32x4.convert_i32x4_s(pairs(a, b)), unit)));
}

/** sums[c] += f32(Σ_j u[j]·v[j][c]) · unit of 16 columns, blocks of keys [first, last) of which lie `step` bytes apart. */
export function values16(
  sums: usize,
  unit: v128,
  u: usize,
  v: usize,
  step: usize,
  first: usize,
  last: usize,
): void {
  const zero = i32x4.splat(0);
  let c0 = zero;
  let c1 = zero;
  let c2 = zero;
  let c3 = zero;
  let c4 = zero;
  let c5 = zero;
  let c6 = zero;
  let c7 = zero;
  v += first * step;
  for (let x = u + (first << 3), stop = u + (last << 3); x < stop; x += 8, v += step) {
    const share = v128.load64_splat(x);
    c0 = multiplyAdd16(c0, share, v128.load8x8_s(v));
    c1 = multiplyAdd16(c1, share, v128.load8x8_s(v, 8));
    c2 = multiplyAdd16(c2, share, v128.load8x8_s(v, 16));
    c3 = multiplyAdd16(c3, share, v128.load8x8_s(v, 24));
    c4 = multiplyAdd16(c4, share, v128.load8x8_s(v, 32));
    c5 = multiplyAdd16(c5, share, v128.load8x8_s(v, 40));
    c6 = multiplyAdd16(c6, share, v128.load8x8_s(v, 48));
    c7 = multiplyAdd16(c7, share, v128.load8x8_s(v, 56));
  }
  weigh(sums, c0, c1, unit);
  weigh(sums + 16, c2, c3, unit);
  weigh(sums + 32, c4, c5, unit);
  weigh(sums + 48, c6, c7, unit);
}

/** The same, of an opened tile. */
export function valuesOpen(
  sums: usize,
  unit: v128,
  u: usize,
  v: usize,
  step: usize,
  first: usize,
  last: usize,
): void {
  const zero = i32x4.splat(0);
  let c0 = zero;
  let c1 = zero;
  let c2 = zero;
  let c3 = zero;
  let c4 = zero;
  let c5 = zero;
  let c6 = zero;
  let c7 = zero;
  v += first * step;
  for (let x = u + (first << 3), stop = u + (last << 3); x < stop; x += 8, v += step) {
    const share = v128.load64_splat(x);
    c0 = multiplyAdd16(c0, share, v128.load(v));
    c1 = multiplyAdd16(c1, share, v128.load(v, 16));
    c2 = multiplyAdd16(c2, share, v128.load(v, 32));
    c3 = multiplyAdd16(c3, share, v128.load(v, 48));
    c4 = multiplyAdd16(c4, share, v128.load(v, 64));
    c5 = multiplyAdd16(c5, share, v128.load(v, 80));
    c6 = multiplyAdd16(c6, share, v128.load(v, 96));
    c7 = multiplyAdd16(c7, share, v128.load(v, 112));
  }
  weigh(sums, c0, c1, unit);
  weigh(sums + 16, c2, c3, unit);
  weigh(sums + 32, c4, c5, unit);
  weigh(sums + 48, c6, c7, unit);
}
