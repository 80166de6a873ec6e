// What kernels of weights in blocks with float scales and their host both know. Panels are the same for every class.

import { quotient, smaller, up } from "../lanes/whole";
import { BLOCK_ROWS, loneBytes } from "../linear/sizes";

/** Columns of a panel. */
export const COLUMNS: i32 = 16;

/** Bytes of a block of a panel: | 16 scales | 16 sums of codes, i16 | 16 offsets, where there are any | 16 columns × size codes |. */
export function blockBytes(size: i32, hasOffsets: i32): i32 {
  return (hasOffsets ? 160 : 96) + COLUMNS * size;
}

/** Bytes of packed weights. */
export function packedBlocksBytes(n: i32, k: i32, size: i32, hasOffsets: i32): i32 {
  return (up(n, COLUMNS) / COLUMNS) * quotient(k, size) * blockBytes(size, hasOffsets);
}

/** Bytes of a row: codes, as i16 or bytes, and Σ x − xZero of each block, f32. */
export function blockRowBytes(k: i32, size: i32): i32 {
  return loneBytes(k) + up(quotient(k, size) * 4, 16);
}

/** Where scratch has the scales of rows and an opened block, behind the totals of a block of rows, and where its rows begin. */
export const SCALES: i32 = (BLOCK_ROWS + 8) * COLUMNS * 4;
export const OPEN: i32 = SCALES + (BLOCK_ROWS + 8) * 4;
export const TOTALS: i32 = OPEN + 32 * COLUMNS * 2;

/** Scratch of linearBlocks: | totals | scales | opened block | rows |. */
export function linearBlocksScratchBytes(rows: i32, k: i32, size: i32): i32 {
  return TOTALS + (smaller(rows, BLOCK_ROWS) + 3) * blockRowBytes(k, size);
}
