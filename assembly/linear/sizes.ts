// What kernels of linear layers over columns and their host both know: how scratch is laid out, for every kernel tier.

import { CODES, FOUR, ROWS_8, ROWS_16, rowBytes, STEP_8, STEP_16 } from "../int8/sizes";
import { larger, smaller, up } from "../lanes/whole";

/** Rows of x that are packed at once: panels of weights pass once for all of them. */
export const BLOCK_ROWS: i32 = 64;
/** Values of k of a panel of i16 that stay in the first-level cache beside a tile of x. */
export const DEPTH: i32 = 1024;

/** Most rows that go one by one. */
const LONE_ROWS: i32 = 4;

/** Bytes of a row of x by itself, as i16, and of what its sums start at. */
export function loneBytes(k: i32): i32 {
  return rowBytes(k) * 2 + 16;
}

/** Bytes of a block of packed rows: | tiles | rows one by one |. */
export function blockBytes(rows: i32, k: i32): i32 {
  const most = smaller(rows, BLOCK_ROWS);
  const pairs = (up(most, ROWS_16) / ROWS_16) * STEP_16;
  const bytes = (up(most, ROWS_8) / ROWS_8) * STEP_8;
  return larger(pairs, bytes) * rowBytes(k) + smaller(most, LONE_ROWS) * loneBytes(k);
}

/** Bytes of rows from packRowsInt8. */
export function packedRowsInt8Bytes(rows: i32, k: i32): i32 {
  return (up(rows, BLOCK_ROWS) / BLOCK_ROWS) * blockBytes(rows, k);
}

/** Bytes of a panel of 8 columns that a block's tiles meet: all of k as bytes, or DEPTH of it as i16. */
export function openPanelBytes(k: i32): i32 {
  return larger(up(k, FOUR), up(smaller(k, DEPTH), FOUR) * 2) * 8;
}

/** Scratch of linearInt8: | codes | a panel |. */
export function linearInt8ScratchBytes(k: i32): i32 {
  return CODES + openPanelBytes(k);
}
