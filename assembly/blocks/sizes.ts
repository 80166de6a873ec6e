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

/** Scratch of linearBlocks: | rows |. */
export function linearBlocksScratchBytes(rows: i32, k: i32, size: i32): i32 {
  return smaller(rows, BLOCK_ROWS) * blockRowBytes(k, size);
}
