// 4-bit weights where a relaxed dot product multiplies bytes. The first operand is x − 128, the second the codes q + 8, which no engine
// reads as negative. Sums start at −8 · Σ x.
//
// One row takes the codes as they lie, two columns in a byte: low + 16 · high. Where the second operand is unsigned, whole bytes and
// their low halves make two sums, which differ by 16 times that of the high halves.

import { signs } from "../env";
import { GROUP_SIZE } from "./sizes";

/** c += x · w, four bytes each. */
function dot(c: v128, x: v128, w: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, c);
}

/** −8 · Σ x − 128 of 32 bytes. */
function startOf(a: v128, b: v128): i32 {
  let v = i32x4.extadd_pairwise_i16x8_u(
    i16x8.add(i16x8.extadd_pairwise_i8x16_u(a), i16x8.extadd_pairwise_i8x16_u(b)),
  );
  v = i32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  v = i32x4.add(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
  return 8 * (128 * GROUP_SIZE - i32x4.extract_lane(v, 0));
}

/** One row of u8 → bytes [k], and of each group where sums of nibbles and of whole bytes start, i32. */
export function packRowBytes(to: usize, x: usize, k: i32): void {
  const shift = i8x16.splat(-128);
  let starts = to + k;
  for (const end = x + k; x < end; x += GROUP_SIZE, to += GROUP_SIZE, starts += 8) {
    const a = v128.load(x);
    const b = v128.load(x, 16);
    v128.store(to, v128.xor(a, shift));
    v128.store(to, v128.xor(b, shift), 16);
    const start = startOf(a, b);
    store<i32>(starts, start);
    store<i32>(starts, 17 * start, 4);
  }
}

/** y[c] = Σ_g s[g][c] · Σ_k q · x − t[g][c] · Σ_k x, i32 [16]: a row of packRowBytes from a group on × `groups` of a panel. */
export function rowNibbles(y: usize, x: usize, starts: usize, w: usize, groups: i32, hasOffsets: i32): void {
  if (signs) rowOf<i8>(y, x, starts, w, groups, hasOffsets);
  else rowOf<u8>(y, x, starts, w, groups, hasOffsets);
}

function lowOf(v: v128): v128 {
  return v128.and(v, i8x16.splat(15));
}

/** rowNibbles where the engine reads the second operand as T. */
function rowOf<T>(y: usize, x: usize, starts: usize, w: usize, groups: i32, hasOffsets: i32): void {
  let t0 = i32x4.splat(0);
  let t1 = t0;
  let t2 = t0;
  let t3 = t0;
  for (const end = starts + ((<usize>groups) << 3); starts < end; starts += 8) {
    const scales = w;
    w += 16;
    let low0 = v128.load32_splat(starts);
    let low1 = low0;
    let high0 = isSigned<T>() ? low0 : v128.load32_splat(starts, 4);
    let high1 = high0;
    if (hasOffsets) {
      const sum = i32x4.shr_s(low0, 3);
      const own = v128.load(w);
      const other = v128.load(w, 16);
      t0 = i32x4.add(t0, i32x4.mul(sum, i32x4.extend_low_i16x8_s(own)));
      t1 = i32x4.add(t1, i32x4.mul(sum, i32x4.extend_high_i16x8_s(own)));
      t2 = i32x4.add(t2, i32x4.mul(sum, i32x4.extend_low_i16x8_s(other)));
      t3 = i32x4.add(t3, i32x4.mul(sum, i32x4.extend_high_i16x8_s(other)));
      w += 32;
    }
    for (const stop = w + 256; w < stop; w += 32, x += 4) {
      const four = v128.load32_splat(x);
      const w0 = v128.load(w);
      const w1 = v128.load(w, 16);
      low0 = dot(low0, four, lowOf(w0));
      high0 = dot(high0, four, isSigned<T>() ? i8x16.shr_u(w0, 4) : w0);
      low1 = dot(low1, four, lowOf(w1));
      high1 = dot(high1, four, isSigned<T>() ? i8x16.shr_u(w1, 4) : w1);
    }
    if (!isSigned<T>()) {
      high0 = i32x4.shr_s(i32x4.sub(high0, low0), 4);
      high1 = i32x4.shr_s(i32x4.sub(high1, low1), 4);
    }
    const near = v128.load8x8_s(scales);
    const far = v128.load8x8_s(scales, 8);
    t0 = i32x4.add(t0, i32x4.mul(low0, i32x4.extend_low_i16x8_s(near)));
    t1 = i32x4.add(t1, i32x4.mul(high0, i32x4.extend_high_i16x8_s(near)));
    t2 = i32x4.add(t2, i32x4.mul(low1, i32x4.extend_low_i16x8_s(far)));
    t3 = i32x4.add(t3, i32x4.mul(high1, i32x4.extend_high_i16x8_s(far)));
  }
  v128.store(y, t0);
  v128.store(y, t1, 16);
  v128.store(y, t2, 32);
  v128.store(y, t3, 48);
}

/** Rows of a tile, and bytes of a group of one: | 8 × 4 k of each row | where sums of each start |, 4 bytes each. */
export const TILE_ROWS: i32 = 6;
export const TILE_GROUP: i32 = 216;

/** Six rows of u8, `step` bytes apart and none past `last`, → a tile. */
export function packTileBytes(to: usize, x0: usize, step: usize, last: usize, k: i32): void {
  const shift = i8x16.splat(-128);
  for (let r = 0, x = x0; r < TILE_ROWS; r++, x = min(x + step, last)) {
    let at = to + (r << 2);
    for (let i = 0; i < k; i += GROUP_SIZE, at += TILE_GROUP) {
      let a = v128.load(x + i);
      let b = v128.load(x + i, 16);
      store<i32>(at, startOf(a, b), 192);
      a = v128.xor(a, shift);
      b = v128.xor(b, shift);
      v128.store32_lane(at, a, 0);
      v128.store32_lane(at, a, 1, 24);
      v128.store32_lane(at, a, 2, 48);
      v128.store32_lane(at, a, 3, 72);
      v128.store32_lane(at, b, 0, 96);
      v128.store32_lane(at, b, 1, 120);
      v128.store32_lane(at, b, 2, 144);
      v128.store32_lane(at, b, 3, 168);
    }
  }
}

/** A group's nibbles as bytes, 64 a step of four k of 16 columns, and then its scales as i32: 8 · 64 + 64 bytes. */
export function openNibbles(to: usize, w: usize, hasOffsets: i32): void {
  const scales = v128.load(w);
  w += hasOffsets ? 48 : 16;
  for (const end = to + 512; to < end; to += 32, w += 16) {
    const v = v128.load(w);
    v128.store(to, lowOf(v));
    v128.store(to, lowOf(i16x8.shr_u(v, 4)), 16);
  }
  const near = i16x8.extend_low_i8x16_s(scales);
  const far = i16x8.extend_high_i8x16_s(scales);
  v128.store(to, i32x4.extend_low_i16x8_s(near));
  v128.store(to, i32x4.extend_high_i16x8_s(near), 16);
  v128.store(to, i32x4.extend_low_i16x8_s(far), 32);
  v128.store(to, i32x4.extend_high_i16x8_s(far), 48);
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
    const sum = i32x4.shr_s(v128.load32_splat(x, 192), 3);
    v128.store(y, i32x4.add(v128.load(y), i32x4.mul(sum, t0)));
    v128.store(y, i32x4.add(v128.load(y, 16), i32x4.mul(sum, t1)), 16);
    v128.store(y, i32x4.add(v128.load(y, 32), i32x4.mul(sum, t2)), 32);
    v128.store(y, i32x4.add(v128.load(y, 48), i32x4.mul(sum, t3)), 48);
  }
}
