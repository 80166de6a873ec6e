// How the int8 kernels lay out their operands; tile-dot16.ts and tile-dot8.ts draw the panels.

import { signs } from "../env";
import { up } from "../lanes/simd";

/** Products of bytes, in one instruction of four (relaxed) or by extmul; baseline's are of 16 bits. */
export const RELAXED: bool = ASC_FEATURE_RELAXED_SIMD;
const EXTMUL: bool = isDefined(EXTMUL_CLASS);
export const BYTES: bool = RELAXED || EXTMUL;

/** Values of k that are added up at once, and that lie together in a panel. */
export const GROUP: i32 = RELAXED ? 4 : 2;
/** Rows of a full tile. */
export const ROWS: i32 = BYTES ? 6 : 4;
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

/** Bytes of u8 rows that stay close while all panels of w stream past them. */
export const BLOCK: i32 = 32 << 10;

/** Bytes of one panel of w: 8 columns, k up to a multiple of 4 with zeros. */
export function panelBytes(k: i32): usize {
  return (<usize>up(k, 4)) << 3;
}

/** Bytes of one step of a panel: what all its columns have of one group of k. */
export const STEP: i32 = GROUP * 8;
/** Panels that lie beside each other, step by step, where a vector meets them all: one stream of memory instead of four. */
export const BESIDE: i32 = 4;

/** Bytes of one row of x in scratch. */
export function rowBytes(k: i32): i32 {
  return up(k, 16);
}

/** Values of k that a kernel row of a convolution takes in panels and tiles. */
export function kernelRowDepth(codes: i32): i32 {
  return up(codes, GROUP);
}

/** Rows of each block when `rows` are cut evenly into blocks of at most BLOCK bytes. */
export function blockRows(rows: i32, k: i32): i32 {
  const most = max(1, BLOCK / rowBytes(max(k, 1)) / ROWS) * ROWS;
  const blocks = max(1, (rows + most - 1) / most);
  return (((rows + blocks - 1) / blocks + ROWS - 1) / ROWS) * ROWS;
}

/** Bytes that each k takes in a packed tile of x: 6 rows of bytes, or 4 of i16. */
export const TILE_STEP: i32 = BYTES ? 6 : 8;
/** Bytes of one packed tile of x. */
export function tileBytes(k: i32): usize {
  return <usize>(rowBytes(k) * TILE_STEP);
}

/** How many of `rows` go in tiles; the rest go one by one. */
export function tiledRows(rows: i32): i32 {
  const left = rows % ROWS;
  return left <= LONE ? rows - left : rows;
}
