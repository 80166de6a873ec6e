// Tiles of four rows × eight columns of blocks, where products are of 16 bits. A block of a panel is opened to i16 once for all rows, and
// what a tile sums of it is scaled and added to totals in memory.

import { multiplyAdd16 } from "../int8/multiply-add";
import { zipHigh32, zipLow32 } from "../lanes/simd";

/** Rows of a tile. */
export const TILE_ROWS: i32 = 4;

/** Bytes of a tile: | k of four rows, i16 | Σ x of each block and row, f32 |. */
export function tileOfBlocks(k: i32, size: i32): usize {
  return ((<usize>k) << 3) + ((<usize>(k / size)) << 4);
}

/** Σ of eight i16. */
function sum8(v: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(v);
}

/** Up to four rows of u8, ldx bytes apart, less their zero points, `step` bytes apart; rows past `rows` repeat the last. */
export function packTileBlocks(
  to: usize,
  x: usize,
  ldx: usize,
  rows: i32,
  xZero: usize,
  step: usize,
  k: i32,
  size: i32,
): void {
  let sums = to + ((<usize>k) << 3);
  let x1 = x + ldx * <usize>min(1, rows - 1);
  let x2 = x + ldx * <usize>min(2, rows - 1);
  let x3 = x + ldx * <usize>min(3, rows - 1);
  const z0 = i16x8.splat(<i16>load<i32>(xZero));
  const z1 = i16x8.splat(<i16>load<i32>(xZero + step * <usize>min(1, rows - 1)));
  const z2 = i16x8.splat(<i16>load<i32>(xZero + step * <usize>min(2, rows - 1)));
  const z3 = i16x8.splat(<i16>load<i32>(xZero + step * <usize>min(3, rows - 1)));
  for (let g = 0; g < k; g += size, sums += 16) {
    let s0 = i32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    for (let i = 0; i < size; i += 8, to += 64) {
      const r0 = i16x8.sub(v128.load8x8_u(x), z0);
      const r1 = i16x8.sub(v128.load8x8_u(x1), z1);
      const r2 = i16x8.sub(v128.load8x8_u(x2), z2);
      const r3 = i16x8.sub(v128.load8x8_u(x3), z3);
      s0 = i32x4.add(s0, sum8(r0));
      s1 = i32x4.add(s1, sum8(r1));
      s2 = i32x4.add(s2, sum8(r2));
      s3 = i32x4.add(s3, sum8(r3));
      const low01 = zipLow32(r0, r1);
      const low23 = zipLow32(r2, r3);
      const high01 = zipHigh32(r0, r1);
      const high23 = zipHigh32(r2, r3);
      v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
      v128.store(to, i64x2.shuffle(low01, low23, 1, 3), 16);
      v128.store(to, i64x2.shuffle(high01, high23, 0, 2), 32);
      v128.store(to, i64x2.shuffle(high01, high23, 1, 3), 48);
      x += 8;
      x1 += 8;
      x2 += 8;
      x3 += 8;
    }
    const a = i32x4.add(zipLow32(s0, s1), zipHigh32(s0, s1));
    const b = i32x4.add(zipLow32(s2, s3), zipHigh32(s2, s3));
    const even = i64x2.shuffle(a, b, 0, 2);
    v128.store(sums, f32x4.convert_i32x4_s(i32x4.add(even, i64x2.shuffle(a, b, 1, 3))));
  }
}

/** The codes of a block of a panel as i16, 64 bytes a pair of k: eight columns and the other eight. */
export function openBlock(to: usize, codes: usize, size: i32): void {
  for (let b = 0; b < 4; b++)
    for (let c = 0, at = to + (b << 4); c < size; c += 4, at += 128, codes += 16) {
      const v = v128.load(codes);
      const low = i16x8.extend_low_i8x16_s(v);
      const high = i16x8.extend_high_i8x16_s(v);
      v128.store(at, i32x4.shuffle(low, high, 0, 2, 4, 6));
      v128.store(at, i32x4.shuffle(low, high, 1, 3, 5, 7), 64);
    }
}

/** t += f32(c) · f32(by · d), eight columns. */
function put(t: usize, c0: v128, c1: v128, by: v128, d0: v128, d1: v128): void {
  const a = f32x4.mul(f32x4.convert_i32x4_s(c0), f32x4.mul(by, d0));
  const b = f32x4.mul(f32x4.convert_i32x4_s(c1), f32x4.mul(by, d1));
  v128.store(t, f32x4.add(v128.load(t), a));
  v128.store(t, f32x4.add(v128.load(t, 16), b), 16);
}

/** Four rows × eight columns of an opened block: totals, 64 bytes a row, d f32 [8], scales of rows at `by`. */
export function tileBlock(t: usize, x: usize, w: usize, d: usize, by: usize, size: i32): void {
  let c00 = i32x4.splat(0);
  let c10 = c00;
  let c20 = c00;
  let c30 = c00;
  let c01 = c00;
  let c11 = c00;
  let c21 = c00;
  let c31 = c00;
  for (const end = x + ((<usize>size) << 3); x < end; x += 16, w += 64) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    let v = v128.load32_splat(x);
    c00 = multiplyAdd16(c00, v, w0);
    c01 = multiplyAdd16(c01, v, w1);
    v = v128.load32_splat(x, 4);
    c10 = multiplyAdd16(c10, v, w0);
    c11 = multiplyAdd16(c11, v, w1);
    v = v128.load32_splat(x, 8);
    c20 = multiplyAdd16(c20, v, w0);
    c21 = multiplyAdd16(c21, v, w1);
    v = v128.load32_splat(x, 12);
    c30 = multiplyAdd16(c30, v, w0);
    c31 = multiplyAdd16(c31, v, w1);
  }
  const d0 = v128.load(d);
  const d1 = v128.load(d, 16);
  put(t, c00, c01, v128.load32_splat(by), d0, d1);
  put(t + 64, c10, c11, v128.load32_splat(by, 4), d0, d1);
  put(t + 128, c20, c21, v128.load32_splat(by, 8), d0, d1);
  put(t + 192, c30, c31, v128.load32_splat(by, 12), d0, d1);
}

/** t −= Σ x · f32(by · m), four rows × 16 columns; Σ x of the rows at `sums`. */
export function tileLess(t: usize, sums: usize, m: usize, by: usize): void {
  for (let r = 0; r < TILE_ROWS; r++, t += 64, sums += 4, by += 4) {
    const sum = v128.load32_splat(sums);
    const scale = v128.load32_splat(by);
    for (let i = 0; i < 64; i += 16)
      v128.store(t + i, f32x4.sub(v128.load(t + i), f32x4.mul(sum, f32x4.mul(scale, v128.load(m + i)))));
  }
}
