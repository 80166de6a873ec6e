// Queries of a batch of rows, which keys each of them sees, and the softmax of its scores.

import { expOfNegative } from "../lanes/exp";
import { head4, sum4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";
import { tanh } from "../lanes/tanh";
import { ROW } from "./attention-sizes";

/** A query. */
@unmanaged
export class Row {
  /** Where it lies, where its result goes, and where key and value 0 of its head lie. */
  q!: usize;
  y!: usize;
  k!: usize;
  v!: usize;
  /** Where its mask begins, and its output of scores. */
  mask!: usize;
  output!: usize;
  /** Keys that it sees, [from, to). */
  from!: i32;
  to!: i32;
  /** Sum of its e^(score − largest). */
  sum!: f32;
  /** Over codes: the head of its keys and values, what products with its codes are multiplied by, and what a tile's shares are. */
  group!: i32;
  scale!: f32;
  unit!: f32;
}

/** The range of keys that the query of token t sees, `offset` keys being before token 0: −1 of left or right is no bound. */
export function see(row: Row, t: i32, offset: i32, keys: i32, left: i32, right: i32): void {
  const at = offset + t;
  const to = max(0, right < 0 ? keys : min(keys, at + right + 1));
  row.to = to;
  row.from = left < 0 ? 0 : min(to, max(0, at - left));
}

/** All bits of the elements that take part, by four bytes of a mask. */
function chosen(mask: usize): v128 {
  const bytes = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(mask)));
  return i32x4.ne(bytes, i32x4.splat(0));
}

/**
 * Scores s[i] of the keys base + i, i from `begin` to `end` in fours, become e^(score − largest): 0 for keys that the row does not see,
 * and where score − largest is below −87.
 * row.sum is their sum; lane i mod 4 adds the scores i, i + 4, ….
 *
 * Before that: softcap·tanh(score / softcap) where softcap is not 0; plus the mask, of the first maskKeys keys, −∞ behind them; f32, or
 * bytes where isBool is 1. `output` gets the scores of `count` keys: 0 as they come, 1 capped, 2 masked, 3 as parts of 1.
 */
export function softmaxOf(
  row: Row,
  s: usize,
  base: i32,
  begin: i32,
  end: i32,
  softcap: f32,
  maskKeys: i32,
  isBool: i32,
  mode: i32,
  count: i32,
): void {
  const least = f32x4.splat(-Infinity);
  const cap = f32x4.splat(softcap);
  const mask = row.mask;
  const output = row.output;
  if (softcap != 0 || mask || output)
    for (let i = begin; i < end; i += 4) {
      const at = (<usize>i) << 2;
      let x = v128.load(s + at);
      if (output && mode == 0) storeWords(output + at, x, count - i);
      if (softcap != 0) x = f32x4.mul(cap, tanh(f32x4.div(x, cap)));
      if (output && mode == 1) storeWords(output + at, x, count - i);
      if (mask) {
        const place = <usize>(base + i);
        const left = maskKeys - base - i;
        if (isBool) x = v128.bitselect(x, least, head4(chosen(mask + place), i32x4.splat(0), left));
        else x = f32x4.add(x, head4(v128.load(mask + (place << 2)), least, left));
      }
      v128.store(s + at, x);
    }
  // What the row does not see.
  for (let i = begin, left = row.from - base; i < left; i++) store<f32>(s + ((<usize>i) << 2), -Infinity);
  for (let i = row.to - base; i < end || i & 3; i++) store<f32>(s + ((<usize>i) << 2), -Infinity);
  let m = least;
  for (let i = begin; i < end; i += 4) {
    const x = v128.load(s + ((<usize>i) << 2));
    if (output && mode == 2) storeWords(output + ((<usize>i) << 2), x, count - i);
    m = f32x4.pmax(m, x);
  }
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
  // Where nothing is seen, all shares are e^−∞.
  m = v128.bitselect(f32x4.splat(0), m, f32x4.eq(m, least));
  let sum = f32x4.splat(0);
  for (let i = begin; i < end; i += 4) {
    const at = (<usize>i) << 2;
    const e = expOfNegative(f32x4.sub(v128.load(s + at), m));
    v128.store(s + at, e);
    sum = f32x4.add(sum, e);
  }
  const total = sum4(sum);
  row.sum = total == 0 ? 1 : total;
  if (!output || mode != 3) return;
  const all = f32x4.splat(row.sum);
  for (let i = begin; i < end; i += 4) {
    const at = (<usize>i) << 2;
    storeWords(output + at, f32x4.div(v128.load(s + at), all), count - i);
  }
}

/** Rows from `row` on that are done together: four that share keys, or one. */
export function together(row: usize, left: i32): i32 {
  return left >= 4 && changetype<Row>(row).k == changetype<Row>(row + 3 * ROW).k ? 4 : 1;
}

/** The first key from `begin` on that any of `n` rows sees. */
export function firstOf(row: usize, n: i32, begin: i32): i32 {
  let from = changetype<Row>(row).from;
  for (let i = 1; i < n; i++) from = min(from, changetype<Row>(row + <usize>(i * ROW)).from);
  return max(begin, from);
}

/** Behind the last key before `end` that any of `n` rows sees. */
export function lastOf(row: usize, n: i32, end: i32): i32 {
  let to = changetype<Row>(row).to;
  for (let i = 1; i < n; i++) to = max(to, changetype<Row>(row + <usize>(i * ROW)).to);
  return min(end, to);
}

/**
 * Reads `count` rows of keys or values once, `step` bytes apart, in the order in which they lie: the heads of a tile lie between each
 * other, and loads of one head after the other come in an order that no prefetcher follows. What is returned has to be stored, or
 * the loads are left out.
 */
export function touch(from: usize, span: usize, step: usize, count: i32): v128 {
  let all = i32x4.splat(0);
  for (let j = 0; j < count; j++, from += step)
    for (let i: usize = 0; i < span; i += 64) all = v128.or(all, v128.load(from + i));
  return all;
}

/** y = sums of values / row.sum, `size` of them. */
export function finish(row: Row, sums: usize, size: i32): void {
  const total = f32x4.splat(row.sum);
  for (let i = 0; i < size; i += 4) {
    const at = (<usize>i) << 2;
    storeWords(row.y + at, f32x4.div(v128.load(sums + at), total), size - i);
  }
}
