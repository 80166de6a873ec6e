// 4-bit weights where products are of 16 bits (baseline and extmul).
//
// A lane of 16 bits of a panel is v = n0 + 16 · n4 + 256 · n1 + 4096 · q5 (k counted from that of the lane: 0, 4, 1, 5; the other lane of
// a pair has 2, 6, 3, 7). A row of x multiplies v and its shifts as they are, without a mask: with x0 for v, x4 − 16 · x0 for v >> 4,
// x1 − 16 · x4 for v >> 8 and x5 − 16 · x1 for v >> 12 the sum is n0 · x0 + n4 · x4 + n1 · x1 + q5 · x5. n is q + 8: sums start at −8 · Σ x.
//
// Many rows meet a panel that is opened to s · q − t, i16, and tiles as int8 weights have them.

import { multiplyAdd16 } from "../int8/multiply-add";
import { zipHigh32, zipLow32 } from "../lanes/simd";
import { GROUP_SIZE } from "./sizes";

/** Eight codes as (0, 2), (1, 3), (4, 6), (5, 7): the order of a chunk's lanes. */
function pairs(x: usize): v128 {
  const v = v128.load8x8_u(x);
  return i16x8.shuffle(v, v, 0, 2, 1, 3, 4, 6, 5, 7);
}

function total(v: v128): i32 {
  v = i32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  v = i32x4.add(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
  return i32x4.extract_lane(v, 0);
}

/** One row of u8 → what chunks are multiplied with, i16 [k], and of each group where its sums start and Σ x, i32. */
export function packRowWide(to: usize, x: usize, k: i32): void {
  const ones = i16x8.splat(1);
  const zero = i32x4.splat(0);
  // All but k = 5 and 7 of eight.
  const eights = i16x8.replace_lane(i16x8.replace_lane(i16x8.splat(-8), 6, 0), 7, 0);
  let sums = to + ((<usize>k) << 1);
  for (const end = x + k; x < end; sums += 8) {
    let start = zero;
    let sum = zero;
    for (let i = 0; i < GROUP_SIZE; i += 8, x += 8, to += 16) {
      const v = pairs(x);
      start = multiplyAdd16(start, v, eights);
      sum = multiplyAdd16(sum, v, ones);
      v128.store(to, i16x8.sub(v, i16x8.shl(i32x4.shuffle(v, zero, 4, 2, 0, 1), 4)));
    }
    store<i32>(sums, total(start));
    store<i32>(sums, total(sum), 4);
  }
}

/** A chunk of four columns with eight k of a row. */
function chunk(c: v128, v: v128, x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  c = multiplyAdd16(c, v, x0);
  c = multiplyAdd16(c, i16x8.shr_s(v, 8), x1);
  c = multiplyAdd16(c, i16x8.shr_s(v, 4), x2);
  return multiplyAdd16(c, i16x8.shr_s(v, 12), x3);
}

/** y[c] = Σ_g s[g][c] · Σ_k q · x − t[g][c] · Σ_k x, i32 [16]: a row of packRowWide from a group on × `groups` of a panel. */
export function rowWide(y: usize, x: usize, sums: usize, w: usize, groups: i32, hasOffsets: i32): void {
  let t0 = i32x4.splat(0);
  let t1 = t0;
  let t2 = t0;
  let t3 = t0;
  for (const end = sums + ((<usize>groups) << 3); sums < end; sums += 8) {
    const scales = v128.load(w);
    w += 16;
    if (hasOffsets) {
      const sum = v128.load32_splat(sums, 4);
      const low = v128.load(w);
      const high = v128.load(w, 16);
      t0 = i32x4.sub(t0, i32x4.mul(sum, i32x4.extend_low_i16x8_s(low)));
      t1 = i32x4.sub(t1, i32x4.mul(sum, i32x4.extend_high_i16x8_s(low)));
      t2 = i32x4.sub(t2, i32x4.mul(sum, i32x4.extend_low_i16x8_s(high)));
      t3 = i32x4.sub(t3, i32x4.mul(sum, i32x4.extend_high_i16x8_s(high)));
      w += 32;
    }
    let c0 = v128.load32_splat(sums);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    for (const stop = w + 64; w < stop; w += 16, x += 16) {
      const x0 = v128.load32_splat(x);
      const x1 = v128.load32_splat(x, 4);
      const x2 = v128.load32_splat(x, 8);
      const x3 = v128.load32_splat(x, 12);
      c0 = chunk(c0, v128.load(w), x0, x1, x2, x3);
      c1 = chunk(c1, v128.load(w, 64), x0, x1, x2, x3);
      c2 = chunk(c2, v128.load(w, 128), x0, x1, x2, x3);
      c3 = chunk(c3, v128.load(w, 192), x0, x1, x2, x3);
    }
    w += 192;
    const low = i16x8.extend_low_i8x16_s(scales);
    const high = i16x8.extend_high_i8x16_s(scales);
    t0 = i32x4.add(t0, i32x4.mul(c0, i32x4.extend_low_i16x8_s(low)));
    t1 = i32x4.add(t1, i32x4.mul(c1, i32x4.extend_high_i16x8_s(low)));
    t2 = i32x4.add(t2, i32x4.mul(c2, i32x4.extend_low_i16x8_s(high)));
    t3 = i32x4.add(t3, i32x4.mul(c3, i32x4.extend_high_i16x8_s(high)));
  }
  v128.store(y, t0);
  v128.store(y, t1, 16);
  v128.store(y, t2, 32);
  v128.store(y, t3, 48);
}

/** Four rows, `step` bytes apart and none past `last`, → an i16 tile as tileWide reads it, k in the order of chunks. */
export function packTilePairs(to: usize, x0: usize, step: usize, last: usize, k: i32): void {
  let x1 = min(x0 + step, last);
  let x2 = min(x1 + step, last);
  let x3 = min(x2 + step, last);
  for (const end = x0 + k; x0 < end; to += 64) {
    const r0 = pairs(x0);
    const r1 = pairs(x1);
    const r2 = pairs(x2);
    const r3 = pairs(x3);
    const low01 = zipLow32(r0, r1);
    const low23 = zipLow32(r2, r3);
    const high01 = zipHigh32(r0, r1);
    const high23 = zipHigh32(r2, r3);
    v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
    v128.store(to, i64x2.shuffle(low01, low23, 1, 3), 16);
    v128.store(to, i64x2.shuffle(high01, high23, 0, 2), 32);
    v128.store(to, i64x2.shuffle(high01, high23, 1, 3), 48);
    x0 += 8;
    x1 += 8;
    x2 += 8;
    x3 += 8;
  }
}

/** s · q − t of `groups` of eight columns, the first or the last of a panel, as tileWide reads them: 32 bytes a pair of k. */
export function openPairs(to: usize, w: usize, groups: i32, bytes: usize, half: i32, hasOffsets: i32): void {
  const low = i16x8.splat(15);
  const codes: usize = hasOffsets ? 48 : 16;
  for (let g = 0; g < groups; g++, w += bytes, to += 512)
    for (let b = 0; b < 2; b++) {
      const at = (half << 1) + b;
      const own = v128.load32_splat(w + (at << 2));
      const scale = i16x8.shr_s(i8x16.shuffle(own, own, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3), 8);
      let less = i16x8.splat(0);
      if (hasOffsets) {
        const four = v128.load64_zero(w + 16 + (at << 3));
        less = i16x8.shuffle(four, four, 0, 0, 1, 1, 2, 2, 3, 3);
      }
      const start = i16x8.add(i16x8.shl(scale, 3), less);
      let from = w + codes + (at << 6);
      for (let step = to + (b << 4), end = step + 512; step < end; step += 128, from += 16) {
        const v = v128.load(from);
        v128.store(step, i16x8.sub(i16x8.mul(v128.and(v, low), scale), start));
        v128.store(step, i16x8.sub(i16x8.mul(v128.and(i16x8.shr_u(v, 8), low), scale), start), 32);
        v128.store(step, i16x8.sub(i16x8.mul(v128.and(i16x8.shr_u(v, 4), low), scale), start), 64);
        v128.store(step, i16x8.sub(i16x8.mul(i16x8.shr_s(v, 12), scale), less), 96);
      }
    }
}
