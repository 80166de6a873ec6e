// How the int8 kernels lay out their operands; tile-dot16.ts and tile-dot8.ts draw the panels.

import { up, zipHigh32, zipLow32 } from "../simd";

/** Values of k that one dot instruction adds up, and that lie together in a panel. */
export const GROUP: i32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
/** Rows of a full tile. */
export const ROWS: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;
/** Up to so many rows left over go one by one: cheaper than a tile that is mostly repeats. */
export const LONE: i32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
/** Panels that a single row meets side by side. */
export const WIDE: i32 = ASC_FEATURE_RELAXED_SIMD ? 4 : 2;
/** Bytes of u8 rows that stay close while all panels of w stream past them. */
const BLOCK: i32 = 32 << 10;

/** Bytes of one panel of w: 8 columns, k up to a multiple of 4 with zeros. */
export function panelBytes(k: i32): usize {
  return (<usize>up(k, 4)) << 3;
}

/** Bytes of one gathered row of x. */
export function rowBytes(k: i32): i32 {
  return up(k, 16);
}

/** Rows of each block when `rows` are cut evenly into blocks of at most BLOCK bytes. */
export function blockRows(rows: i32, k: i32): i32 {
  const most = max(1, BLOCK / rowBytes(max(k, 1)) / ROWS) * ROWS;
  const blocks = max(1, (rows + most - 1) / most);
  return (((rows + blocks - 1) / blocks + ROWS - 1) / ROWS) * ROWS;
}

/** One row of u8 → i16, k up to a multiple of 8. */
export function widenRow(to: usize, x: usize, k: i32): void {
  for (const end = x + k; x < end; x += 8, to += 16) v128.store(to, v128.load8x8_u(x));
}

/** Four rows of u8 → an i16 panel, k up to a multiple of 8; rows past xLast repeat it. A 4×4 transpose of pairs. */
export function widenRows(to: usize, x: usize, ldx: usize, xLast: usize, k: i32): void {
  let x0 = x,
    x1 = min(x0 + ldx, xLast),
    x2 = min(x1 + ldx, xLast),
    x3 = min(x2 + ldx, xLast);
  for (const end = x0 + k; x0 < end; x0 += 8, x1 += 8, x2 += 8, x3 += 8, to += 64) {
    const r0 = v128.load8x8_u(x0),
      r1 = v128.load8x8_u(x1),
      r2 = v128.load8x8_u(x2),
      r3 = v128.load8x8_u(x3);
    const a01 = zipLow32(r0, r1),
      b01 = zipHigh32(r0, r1);
    const a23 = zipLow32(r2, r3),
      b23 = zipHigh32(r2, r3);
    v128.store(to, i64x2.shuffle(a01, a23, 0, 2));
    v128.store(to, i64x2.shuffle(a01, a23, 1, 3), 16);
    v128.store(to, i64x2.shuffle(b01, b23, 0, 2), 32);
    v128.store(to, i64x2.shuffle(b01, b23, 1, 3), 48);
  }
}
