// Batched matrix transposition, which is also NCHW ↔ NHWC: SIMD blocks of 4×4 words or 8×16 bytes.

import { interleave4 } from "../lanes/lanes";
import { zipHigh8, zipHigh16, zipHigh32, zipLow8, zipLow16, zipLow32 } from "../lanes/simd";

/**
 * Columns done before the next four rows: as many lines of y, `step` bytes apart, as stay in a first-level cache of eight
 * ways of 4 KiB, which keeps no more than eight that lie a multiple of 4 KiB apart.
 */
function stripOf(step: i32): i32 {
  const together = step & -step;
  return min(64, max(8, (8 << 12) / max(4, together)));
}

/** y[j·step + i] = x[i·row + j], i < rows, j < cols: 4-byte elements; `step` and `row` in bytes. */
export function turn32(y: usize, step: usize, x: usize, row: usize, rows: i32, cols: i32): void {
  const strip = stripOf(<i32>step);
  for (let j = 0; j < cols; j += strip) {
    const count = min(strip, cols - j);
    let p = x + ((<usize>j) << 2);
    let q = y + <usize>j * step;
    let i = 0;
    for (; i + 4 <= rows; i += 4, p += 4 * row, q += 16) {
      interleave4(q, <i32>step, p, p + row, p + 2 * row, p + 3 * row, count);
    }
    for (; i < rows; i++, p += row, q += 4) {
      for (let c = 0; c < count; c++) store<i32>(q + <usize>c * step, load<i32>(p + ((<usize>c) << 2)));
    }
  }
}

/** y[b][j][i] = x[b][i][j]: [batch][rows][cols] → [batch][cols][rows], 4-byte elements. Range: batch. */
export function transpose32(y: usize, x: usize, rows: i32, cols: i32, begin: i32, end: i32): void {
  const row = (<usize>cols) << 2;
  const step = (<usize>rows) << 2;
  for (let b = begin; b < end; b++) {
    turn32(y + <usize>(b * rows) * row, step, x + <usize>(b * rows) * row, row, rows, cols);
  }
}

/** Two columns of a block as rows of y. */
function storePair(y: usize, step: usize, v: v128): void {
  v128.store64_lane(y, v, 0);
  v128.store64_lane(y + step, v, 1);
}

/** Sixteen columns of eight rows, `row` bytes apart but never more than `last` from the first. */
function block8(y: usize, step: usize, x: usize, row: usize, last: usize): void {
  const x0 = v128.load(x);
  const x1 = v128.load(x + min<usize>(row, last));
  const x2 = v128.load(x + min<usize>(2 * row, last));
  const x3 = v128.load(x + min<usize>(3 * row, last));
  const x4 = v128.load(x + min<usize>(4 * row, last));
  const x5 = v128.load(x + min<usize>(5 * row, last));
  const x6 = v128.load(x + min<usize>(6 * row, last));
  const x7 = v128.load(x + min<usize>(7 * row, last));
  let a = zipLow16(zipLow8(x0, x1), zipLow8(x2, x3));
  let b = zipLow16(zipLow8(x4, x5), zipLow8(x6, x7));
  storePair(y, step, zipLow32(a, b));
  storePair(y + 2 * step, step, zipHigh32(a, b));
  a = zipHigh16(zipLow8(x0, x1), zipLow8(x2, x3));
  b = zipHigh16(zipLow8(x4, x5), zipLow8(x6, x7));
  storePair(y + 4 * step, step, zipLow32(a, b));
  storePair(y + 6 * step, step, zipHigh32(a, b));
  a = zipLow16(zipHigh8(x0, x1), zipHigh8(x2, x3));
  b = zipLow16(zipHigh8(x4, x5), zipHigh8(x6, x7));
  storePair(y + 8 * step, step, zipLow32(a, b));
  storePair(y + 10 * step, step, zipHigh32(a, b));
  a = zipHigh16(zipHigh8(x0, x1), zipHigh8(x2, x3));
  b = zipHigh16(zipHigh8(x4, x5), zipHigh8(x6, x7));
  storePair(y + 12 * step, step, zipLow32(a, b));
  storePair(y + 14 * step, step, zipHigh32(a, b));
}

/**
 * y[j·step + i] = x[i·row + j], i < rows, j < cols: bytes.
 *
 * Blocks at the edges overlap those before. With fewer than eight rows, a block writes bytes of the next columns,
 * which those overwrite: the last columns, and all of a narrow matrix or of one with gaps, go byte by byte.
 */
export function turn8(y: usize, step: usize, x: usize, row: usize, rows: i32, cols: i32): void {
  const last = <usize>(min(8, rows) - 1) * row;
  const strip = max(16, stripOf(<i32>step));
  const narrow = <usize>rows == step ? max(0, cols - 8) & ~15 : 0;
  const wide = rows < 8 ? narrow : cols < 16 ? 0 : cols;
  for (let j = 0; j < wide; j += strip) {
    const until = min(wide, j + strip);
    for (let i = 0; i < rows; i += 8) {
      const top = max(0, min(i, rows - 8));
      for (let c = j; c < until; c += 16) {
        const left = min(c, wide - 16);
        block8(y + <usize>left * step + top, step, x + <usize>top * row + left, row, last);
      }
    }
  }
  for (let j = wide; j < cols; j++)
    for (let i = 0; i < rows; i++) store<u8>(y + <usize>j * step + i, load<u8>(x + <usize>i * row + j));
}

/** y[b][j][i] = x[b][i][j]: [batch][rows][cols] → [batch][cols][rows], bytes. Range: batch. */
export function transpose8(y: usize, x: usize, rows: i32, cols: i32, begin: i32, end: i32): void {
  for (let b = begin; b < end; b++) {
    turn8(y + <usize>(b * rows * cols), rows, x + <usize>(b * rows * cols), cols, rows, cols);
  }
}
