// Batched matrix transposition, which is also NCHW ↔ NHWC: SIMD blocks of 4×4 words or 8×8 bytes.

import { interleave4 } from "../lanes";
import { storeBytes8, zipHigh16, zipLow8, zipLow16 } from "../simd";

/**
 * Columns done before the next four rows: as many lines of y, `step` bytes apart, as stay in a first-level cache of eight
 * ways of 4 KiB, which keeps no more than eight that lie a multiple of 4 KiB apart.
 */
function stripOf(step: i32): i32 {
  const together = step & -step;
  return min(64, max(8, (8 << 12) / max(4, together)));
}

/** y[b][j][i] = x[b][i][j]: [batch][rows][cols] → [batch][cols][rows], 4-byte elements. Range: batch. */
export function transpose32(y: usize, x: usize, rows: i32, cols: i32, begin: i32, end: i32): void {
  const row = (<usize>cols) << 2;
  const step = (<usize>rows) << 2;
  const strip = stripOf(rows << 2);
  for (let b = begin; b < end; b++) {
    const from = x + <usize>(b * rows) * row;
    const to = y + <usize>(b * rows) * row;
    for (let j = 0; j < cols; j += strip) {
      const count = min(strip, cols - j);
      let p = from + ((<usize>j) << 2);
      let q = to + <usize>j * step;
      let i = 0;
      for (; i + 4 <= rows; i += 4, p += 4 * row, q += 16) {
        interleave4(q, <i32>step, p, p + row, p + 2 * row, p + 3 * row, count);
      }
      for (; i < rows; i++, p += row, q += 4) {
        for (let c = 0; c < count; c++) store<i32>(q + <usize>c * step, load<i32>(p + ((<usize>c) << 2)));
      }
    }
  }
}

/** Two columns of a block as rows of y. */
function storePair(y: usize, step: usize, v: v128, rows: i32, cols: i32): void {
  if (cols > 0) storeBytes8(y, i64x2.extract_lane(v, 0), rows);
  if (cols > 1) storeBytes8(y + step, i64x2.extract_lane(v, 1), rows);
}

/** y[b][j][i] = x[b][i][j]: [batch][rows][cols] → [batch][cols][rows], bytes. Range: batch. */
export function transpose8(y: usize, x: usize, rows: i32, cols: i32, begin: i32, end: i32): void {
  const step = <usize>rows;
  for (let b = begin; b < end; b++) {
    const from = x + <usize>(b * rows * cols);
    const to = y + <usize>(b * rows * cols);
    for (let j = 0; j < cols; j += 8) {
      const left = cols - j;
      for (let i = 0; i < rows; i += 8) {
        // Rows past the last are read as the last and not stored.
        const p = from + <usize>(i * cols + j);
        const last = from + <usize>((rows - 1) * cols + j);
        const row = <usize>cols;
        const r01 = zipLow8(v128.load64_zero(p), v128.load64_zero(min(p + row, last)));
        const r23 = zipLow8(
          v128.load64_zero(min(p + 2 * row, last)),
          v128.load64_zero(min(p + 3 * row, last)),
        );
        const r45 = zipLow8(
          v128.load64_zero(min(p + 4 * row, last)),
          v128.load64_zero(min(p + 5 * row, last)),
        );
        const r67 = zipLow8(
          v128.load64_zero(min(p + 6 * row, last)),
          v128.load64_zero(min(p + 7 * row, last)),
        );
        const a = zipLow16(r01, r23);
        const c = zipLow16(r45, r67);
        const count = rows - i;
        const q = to + <usize>(j * rows + i);
        storePair(q, step, i32x4.shuffle(a, c, 0, 4, 1, 5), count, left);
        storePair(q + 2 * step, step, i32x4.shuffle(a, c, 2, 6, 3, 7), count, left - 2);
        if (left <= 4) continue;
        const d = zipHigh16(r01, r23);
        const e = zipHigh16(r45, r67);
        storePair(q + 4 * step, step, i32x4.shuffle(d, e, 0, 4, 1, 5), count, left - 4);
        storePair(q + 6 * step, step, i32x4.shuffle(d, e, 2, 6, 3, 7), count, left - 6);
      }
    }
  }
}
