// The same products by the relaxed dot product of bytes, within what its specification fixes: one operand is 0..127. Shares are; a code
// of a query is the difference of two such numbers, one of which is 0.

import { BLOCK, TILE } from "./attention-sizes";

/** c += codes · by, four by four. */
function add(c: v128, codes: v128, by: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(codes, by, c);
}

/** A block of a query's codes, i32: four that are above 0, and four that are below, negated. */
export function storeQuery8(to: usize, codes: v128): void {
  const zero = i32x4.splat(0);
  const words = i16x8.narrow_i32x4_s(i32x4.max_s(codes, zero), i32x4.max_s(i32x4.neg(codes), zero));
  v128.store64_lane(to, i8x16.narrow_i16x8_s(words, words), 0);
}

/** Shares of two blocks of keys, i32: a byte each. */
export function storeShares8(to: usize, first: v128, second: v128): void {
  const words = i16x8.narrow_i32x4_s(first, second);
  v128.store64_lane(to, i8x16.narrow_i16x8_s(words, words), 0);
}

/** Sums Σ_d q·k of 16 keys, i32. */
export function scores8(to: usize, q: usize, k: usize, blocks: i32): void {
  const zero = i32x4.splat(0);
  let a0 = zero;
  let a1 = zero;
  let a2 = zero;
  let a3 = zero;
  let b0 = zero;
  let b1 = zero;
  let b2 = zero;
  let b3 = zero;
  for (const stop = q + ((<usize>blocks) << 3); q < stop; q += 8, k += BLOCK * TILE) {
    const above = v128.load32_splat(q);
    const below = v128.load32_splat(q, 4);
    let x = v128.load(k);
    a0 = add(a0, x, above);
    b0 = add(b0, x, below);
    x = v128.load(k, 16);
    a1 = add(a1, x, above);
    b1 = add(b1, x, below);
    x = v128.load(k, 32);
    a2 = add(a2, x, above);
    b2 = add(b2, x, below);
    x = v128.load(k, 48);
    a3 = add(a3, x, above);
    b3 = add(b3, x, below);
  }
  v128.store(to, i32x4.sub(a0, b0));
  v128.store(to, i32x4.sub(a1, b1), 16);
  v128.store(to, i32x4.sub(a2, b2), 32);
  v128.store(to, i32x4.sub(a3, b3), 48);
}

/** sums += f32(sum) · unit, four columns. */
function weigh(sums: usize, sum: v128, unit: v128): void {
  v128.store(sums, f32x4.add(v128.load(sums), f32x4.mul(f32x4.convert_i32x4_s(sum), unit)));
}

/** sums[c] += f32(Σ_j u[j]·v[j][c]) · unit of 16 columns, blocks of keys [first, last) of which lie `step` bytes apart. */
export function values8(
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
  v += first * step;
  for (let x = u + (first << 2), stop = u + (last << 2); x < stop; x += 4, v += step) {
    const share = v128.load32_splat(x);
    c0 = add(c0, v128.load(v), share);
    c1 = add(c1, v128.load(v, 16), share);
    c2 = add(c2, v128.load(v, 32), share);
    c3 = add(c3, v128.load(v, 48), share);
  }
  weigh(sums, c0, unit);
  weigh(sums + 16, c1, unit);
  weigh(sums + 32, c2, unit);
  weigh(sums + 48, c3, unit);
}
