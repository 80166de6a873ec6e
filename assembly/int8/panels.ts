// How the int8 kernels of this tier lay out their operands (sizes.ts has what holds for all); tile-dot16.ts and tile-dot8.ts draw
// the panels.

import { signs } from "../env";
import { up } from "../lanes/whole";
import { FOUR, mostRows, PAIR, ROWS_8, ROWS_16, rowBytes, STEP_8, STEP_16 } from "./sizes";

/** Products of bytes, in one instruction of four (relaxed) or by extmul; baseline's are of 16 bits. */
export const RELAXED: bool = ASC_FEATURE_RELAXED_SIMD;
const EXTMUL: bool = isDefined(EXTMUL_CLASS);
export const BYTES: bool = RELAXED || EXTMUL;

/** Values of k that are added up at once, and that lie together in a panel. */
export const GROUP: i32 = RELAXED ? FOUR : PAIR;
/** Rows of a full tile. */
export const ROWS: i32 = BYTES ? ROWS_8 : ROWS_16;
/** Up to so many rows left over go one by one: cheaper than a tile that is mostly repeats. */
const LONE: i32 = BYTES ? 4 : 2;

/**
 * What is added to codes of x, modulo 256, to be multiplied as the class does it: 128 where it reads them as signed.
 * Sums then are 128 · Σ w smaller, which packed offsets make good.
 */
export function shiftOfCodes(): i32 {
  if (RELAXED) return signs;
  return EXTMUL ? 128 : 0;
}

/** Bytes of one step of a panel: what all its columns have of one group of k. */
export const STEP: i32 = GROUP * 8;

/** Values of k that a kernel row of a convolution takes in panels and tiles. */
export function kernelRowDepth(codes: i32): i32 {
  return up(codes, GROUP);
}

/** Rows of each block when `rows` are cut evenly into blocks of at most BLOCK bytes. */
export function blockRows(rows: i32, k: i32): i32 {
  const most = mostRows(k, ROWS);
  const blocks = max(1, (rows + most - 1) / most);
  return (((rows + blocks - 1) / blocks + ROWS - 1) / ROWS) * ROWS;
}

/** Bytes that each k takes in a packed tile of x: 6 rows of bytes, or 4 of i16. */
export const TILE_STEP: i32 = BYTES ? STEP_8 : STEP_16;

/** Bytes of one packed tile of x. */
export function tileBytes(k: i32): usize {
  return <usize>(rowBytes(k) * TILE_STEP);
}

/** How many of `rows` go in tiles; the rest go one by one. */
export function tiledRows(rows: i32): i32 {
  const left = rows % ROWS;
  return left <= LONE ? rows - left : rows;
}
