// 4-bit weights where a relaxed dot product multiplies bytes: the nibbles are its second operand, which fits 7 bits, and x, less 128,
// the first. So every engine that has the instruction gives the same sums. They start at −8 · Σ x, as nibbles are q + 8.

import { zipHigh32, zipLow32 } from "../lanes/simd";
import { GROUP_SIZE } from "./sizes";

/** c += x · w, four bytes each. */
function dot(c: v128, x: v128, w: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, c);
}

/** Σ of 16 signed bytes in four sums. */
function sum16(v: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v));
}

function total(v: v128): i32 {
  v = i32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  v = i32x4.add(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
  return i32x4.extract_lane(v, 0);
}

/** One row of u8 → i8 [k], and of each group where its sums of 16 bits start, i16 [2], and Σ x, i32. */
export function packRowSigned(to: usize, x: usize, k: i32): void {
  const flip = i8x16.splat(-128);
  const eight = i16x8.splat(-8);
  let sums = to + k;
  for (const end = x + k; x < end; x += GROUP_SIZE, to += GROUP_SIZE, sums += 8) {
    const a = v128.xor(v128.load(x), flip);
    const b = v128.xor(v128.load(x, 16), flip);
    v128.store(to, a);
    v128.store(to, b, 16);
    let pairs = i16x8.add(i16x8.extadd_pairwise_i8x16_s(a), i16x8.extadd_pairwise_i8x16_s(b));
    pairs = i16x8.add(pairs, i32x4.shuffle(pairs, pairs, 2, 3, 0, 1));
    pairs = i16x8.add(pairs, i32x4.shuffle(pairs, pairs, 1, 0, 3, 2));
    v128.store32_lane(sums, i16x8.mul(pairs, eight), 0);
    v128.store32_lane(sums, i32x4.extadd_pairwise_i16x8_s(pairs), 0, 4);
  }
}

/** c += x · w, two bytes each. A group's sums fit 16 bits: at most 16 · 8 · 128. */
function dot16(c: v128, x: v128, w: v128): v128 {
  return i16x8.add(c, i16x8.relaxed_dot_i8x16_i7x16_s(x, w));
}

/** Sixteen bytes of a panel as they were before the top nibbles became signed, and what they add to sums of 16 bits. */
function chunk16(c: v128, v: v128, x0: v128, x1: v128, low: v128): v128 {
  return dot16(dot16(c, x0, v128.and(v, low)), x1, v128.and(i16x8.shr_u(v, 4), low));
}

/** As a static method, which can ask to be inlined in syntax that formatters know: as a call it takes twice the time. */
class Group {
  /** Four columns, the 32 k of a group: (k, k + 1) and (k + 2, k + 3) apart. */
  @inline
  static four(
    c: v128,
    w: usize,
    x0: v128,
    x1: v128,
    x2: v128,
    x3: v128,
    x4: v128,
    x5: v128,
    x6: v128,
    x7: v128,
    low: v128,
    flip: v128,
  ): v128 {
    c = chunk16(c, v128.xor(v128.load(w), flip), x0, x1, low);
    c = chunk16(c, v128.xor(v128.load(w, 16), flip), x2, x3, low);
    c = chunk16(c, v128.xor(v128.load(w, 32), flip), x4, x5, low);
    return chunk16(c, v128.xor(v128.load(w, 48), flip), x6, x7, low);
  }
}

/**
 * y[c] = Σ_g s[g][c] · Σ_k q · x − t[g][c] · Σ_k x, i32 [16]: a row of packRowSigned from a group on × `groups` of a panel.
 *
 * One product with the scales widens the two sums of a column and joins them.
 */
export function rowNibbles(y: usize, x: usize, sums: usize, w: usize, groups: i32, hasOffsets: i32): void {
  const low = i8x16.splat(15);
  const flip = i16x8.splat(-32768);
  let t0 = i32x4.splat(0);
  let t1 = t0;
  let t2 = t0;
  let t3 = t0;
  for (const end = sums + ((<usize>groups) << 3); sums < end; sums += 8, x += GROUP_SIZE) {
    const scales = v128.load(w);
    w += 16;
    if (hasOffsets) {
      const sum = v128.load32_splat(sums, 4);
      const own = v128.load(w);
      const other = v128.load(w, 16);
      t0 = i32x4.sub(t0, i32x4.mul(sum, i32x4.extend_low_i16x8_s(own)));
      t1 = i32x4.sub(t1, i32x4.mul(sum, i32x4.extend_high_i16x8_s(own)));
      t2 = i32x4.sub(t2, i32x4.mul(sum, i32x4.extend_low_i16x8_s(other)));
      t3 = i32x4.sub(t3, i32x4.mul(sum, i32x4.extend_high_i16x8_s(other)));
      w += 32;
    }
    const c = v128.load32_splat(sums);
    const x0 = v128.load32_splat(x);
    const x1 = v128.load32_splat(x, 4);
    const x2 = v128.load32_splat(x, 8);
    const x3 = v128.load32_splat(x, 12);
    const x4 = v128.load32_splat(x, 16);
    const x5 = v128.load32_splat(x, 20);
    const x6 = v128.load32_splat(x, 24);
    const x7 = v128.load32_splat(x, 28);
    const c0 = Group.four(c, w, x0, x1, x2, x3, x4, x5, x6, x7, low, flip);
    const c1 = Group.four(c, w + 64, x0, x1, x2, x3, x4, x5, x6, x7, low, flip);
    const c2 = Group.four(c, w + 128, x0, x1, x2, x3, x4, x5, x6, x7, low, flip);
    const c3 = Group.four(c, w + 192, x0, x1, x2, x3, x4, x5, x6, x7, low, flip);
    w += 256;
    // Each scale twice, as i16: s0 s0 s1 s1 …
    const s0 = i8x16.shuffle(scales, scales, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const s1 = i8x16.shuffle(scales, scales, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7);
    const s2 = i8x16.shuffle(scales, scales, 8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 11);
    const s3 = i8x16.shuffle(scales, scales, 12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15);
    t0 = i32x4.add(t0, i32x4.dot_i16x8_s(c0, i16x8.shr_s(s0, 8)));
    t1 = i32x4.add(t1, i32x4.dot_i16x8_s(c1, i16x8.shr_s(s1, 8)));
    t2 = i32x4.add(t2, i32x4.dot_i16x8_s(c2, i16x8.shr_s(s2, 8)));
    t3 = i32x4.add(t3, i32x4.dot_i16x8_s(c3, i16x8.shr_s(s3, 8)));
  }
  v128.store(y, t0);
  v128.store(y, t1, 16);
  v128.store(y, t2, 32);
  v128.store(y, t3, 48);
}

/** Rows of a tile, and bytes of a group of one: | 8 × 4 k of each row | where sums of each start | Σ x of each |, 4 bytes each. */
export const TILE_ROWS: i32 = 6;
export const TILE_GROUP: i32 = 240;

/** Six rows of u8, `step` bytes apart and none past `last`, → a tile. */
export function packTileSigned(to: usize, x0: usize, step: usize, last: usize, k: i32): void {
  for (let r = 0, x = x0; r < TILE_ROWS; r++, x = min(x + step, last)) {
    const flip = i8x16.splat(-128);
    let at = to + (r << 2);
    for (let i = 0; i < k; i += GROUP_SIZE, at += TILE_GROUP) {
      const a = v128.xor(v128.load(x + i), flip);
      const b = v128.xor(v128.load(x + i, 16), flip);
      v128.store32_lane(at, a, 0);
      v128.store32_lane(at, a, 1, 24);
      v128.store32_lane(at, a, 2, 48);
      v128.store32_lane(at, a, 3, 72);
      v128.store32_lane(at, b, 0, 96);
      v128.store32_lane(at, b, 1, 120);
      v128.store32_lane(at, b, 2, 144);
      v128.store32_lane(at, b, 3, 168);
      const sum = total(i32x4.add(sum16(a), sum16(b)));
      store<i32>(at, -8 * sum, 192);
      store<i32>(at, sum, 216);
    }
  }
}

/** A group's nibbles as bytes, 64 a step of four k of 16 columns, and then its scales as i32: 8 · 64 + 64 bytes. */
export function openNibbles(to: usize, w: usize, hasOffsets: i32): void {
  const low = i8x16.splat(15);
  const flip = i16x8.splat(-32768);
  const scales = v128.load(w);
  w += hasOffsets ? 48 : 16;
  for (let b = 0; b < 64; b += 16)
    for (let c = 0; c < 512; c += 128, w += 16) {
      const v = v128.xor(v128.load(w), flip);
      v128.store(to + b + c, v128.and(v, low));
      v128.store(to + b + c, v128.and(i16x8.shr_u(v, 4), low), 64);
    }
  const near = i16x8.extend_low_i8x16_s(scales);
  const far = i16x8.extend_high_i8x16_s(scales);
  v128.store(to, i32x4.extend_low_i16x8_s(near), 512);
  v128.store(to, i32x4.extend_high_i16x8_s(near), 528);
  v128.store(to, i32x4.extend_low_i16x8_s(far), 544);
  v128.store(to, i32x4.extend_high_i16x8_s(far), 560);
}

/** y += c · s for eight columns. */
function put(y: usize, c0: v128, c1: v128, s0: v128, s1: v128): void {
  v128.store(y, i32x4.add(v128.load(y), i32x4.mul(c0, s0)));
  v128.store(y, i32x4.add(v128.load(y, 16), i32x4.mul(c1, s1)), 16);
}

/** Six rows × eight columns of a group: y += s · Σ q · x. Rows of y are 64 bytes apart, all there. */
export function tileNibbles(y: usize, x: usize, w: usize, half: i32): void {
  let c00 = v128.load32_splat(x, 192);
  let c01 = c00;
  let c10 = v128.load32_splat(x, 196);
  let c11 = c10;
  let c20 = v128.load32_splat(x, 200);
  let c21 = c20;
  let c30 = v128.load32_splat(x, 204);
  let c31 = c30;
  let c40 = v128.load32_splat(x, 208);
  let c41 = c40;
  let c50 = v128.load32_splat(x, 212);
  let c51 = c50;
  const scales = w + 512 + (half << 5);
  w += half << 5;
  for (const end = x + 192; x < end; x += 24, w += 64) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    let v = v128.load32_splat(x);
    c00 = dot(c00, v, w0);
    c01 = dot(c01, v, w1);
    v = v128.load32_splat(x, 4);
    c10 = dot(c10, v, w0);
    c11 = dot(c11, v, w1);
    v = v128.load32_splat(x, 8);
    c20 = dot(c20, v, w0);
    c21 = dot(c21, v, w1);
    v = v128.load32_splat(x, 12);
    c30 = dot(c30, v, w0);
    c31 = dot(c31, v, w1);
    v = v128.load32_splat(x, 16);
    c40 = dot(c40, v, w0);
    c41 = dot(c41, v, w1);
    v = v128.load32_splat(x, 20);
    c50 = dot(c50, v, w0);
    c51 = dot(c51, v, w1);
  }
  const s0 = v128.load(scales);
  const s1 = v128.load(scales, 16);
  y += half << 5;
  put(y, c00, c01, s0, s1);
  put(y + 64, c10, c11, s0, s1);
  put(y + 128, c20, c21, s0, s1);
  put(y + 192, c30, c31, s0, s1);
  put(y + 256, c40, c41, s0, s1);
  put(y + 320, c50, c51, s0, s1);
}

/** y −= t · Σ x of a group, six rows × 16 columns. x and w as for tileNibbles and openNibbles. */
export function tileOffsets(y: usize, x: usize, w: usize): void {
  const near = v128.load(w, 16);
  const far = v128.load(w, 32);
  const t0 = i32x4.extend_low_i16x8_s(near);
  const t1 = i32x4.extend_high_i16x8_s(near);
  const t2 = i32x4.extend_low_i16x8_s(far);
  const t3 = i32x4.extend_high_i16x8_s(far);
  for (let r = 0; r < TILE_ROWS; r++, y += 64, x += 4) {
    const sum = v128.load32_splat(x, 216);
    v128.store(y, i32x4.sub(v128.load(y), i32x4.mul(sum, t0)));
    v128.store(y, i32x4.sub(v128.load(y, 16), i32x4.mul(sum, t1)), 16);
    v128.store(y, i32x4.sub(v128.load(y, 32), i32x4.mul(sum, t2)), 32);
    v128.store(y, i32x4.sub(v128.load(y, 48), i32x4.mul(sum, t3)), 48);
  }
}
