// What kernels of 4-bit weights and their host both know: how panels and scratch are laid out. Panels have the same size for every class.

import { larger, quotient, smaller, up } from "../lanes/whole";
import { BLOCK_ROWS, loneBytes } from "../linear/sizes";

/** Columns of a panel, and values of k that have a scale. */
export const COLUMNS: i32 = 16;
export const GROUP_SIZE: i32 = 32;

/** Largest offset of a group, either way: s · q − t then fits 16 bits. */
export const MOST_OFFSET: i32 = 31751;
/** Largest Σ |s · q − t| of a segment of a row: times 255 it is below 2³¹. */
export const MOST_SUM: i32 = 8421504;

/**
 * Values of k whose products are one int32 sum: all where 255 · 8 · 127 · k < 2³¹, else 8192 at a time, whose sums are added as f32 in
 * ascending order.
 */
export function segmentDepth(k: i32): i32 {
  return k <= 8288 ? larger(k, 1) : 8192;
}

/** Segments of a row. */
export function segmentsOf(k: i32): i32 {
  return quotient(k + segmentDepth(k) - 1, segmentDepth(k));
}

/** Bytes of a group of a panel: | 16 scales | 16 offsets of 16 bits, where there are any | 16 columns × 32 codes |. */
export function groupBytes(hasOffsets: i32): i32 {
  return hasOffsets ? 304 : 272;
}

/** Bytes of packed weights. */
export function packedInt4Bytes(n: i32, k: i32, hasOffsets: i32): i32 {
  return (up(n, COLUMNS) / COLUMNS) * quotient(k, GROUP_SIZE) * groupBytes(hasOffsets);
}

/** Bytes of the i32 sums of weights that packInt4 writes: one a column and segment. */
export function columnSumBytes(n: i32, k: i32): i32 {
  return up(n, COLUMNS) * segmentsOf(k) * 4;
}

/** Values of k of an opened panel. */
export const OPEN_DEPTH: i32 = 512;
/** Bytes of the sums of a block of rows, those past the last of a tile included, of 16 columns. */
export const SUMS_BYTES: i32 = (BLOCK_ROWS + 8) * COLUMNS * 4;

/** Bytes of a row by itself: codes as i16, and what sums of each group start with. */
export function ownRowBytes(k: i32): i32 {
  return loneBytes(k) + quotient(k, GROUP_SIZE) * 8;
}

/** Bytes of a row of a tile. */
export function tileRowBytes(k: i32): i32 {
  return up(k, GROUP_SIZE) * 2 + quotient(k, GROUP_SIZE) * 8;
}

/** Bytes of a block of packed rows: | tiles | rows by themselves |. */
export function rowsBytes(rows: i32, k: i32): i32 {
  return (smaller(rows, BLOCK_ROWS) + 6) * larger(ownRowBytes(k), tileRowBytes(k));
}

/** Bytes of rows from packRowsInt4. */
export function packedRowsInt4Bytes(rows: i32, k: i32): i32 {
  return (up(rows, BLOCK_ROWS) / BLOCK_ROWS) * rowsBytes(rows, k);
}

/** Scratch of linearInt4: | sums | totals | opened panel |. */
export const LINEAR_INT4_SCRATCH: i32 = 2 * SUMS_BYTES + OPEN_DEPTH * COLUMNS * 2;
