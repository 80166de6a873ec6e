// Scratch of the attention kernels, for them and for their host.

import { up } from "../lanes/whole";

/** Keys that are done together: tiles begin at multiples of it, wherever a query begins to look. */
export const TILE: i32 = 32;

/** Queries that meet a tile of keys while it is in the cache. */
export const ROWS: i32 = 16;

/** Bytes of a Row (attention-rows.ts). */
export const ROW: i32 = 48;

/** Scores that a query has room for: of all tiles that `keys` places in a ring can be seen in. */
export function scoresOf(keys: i32): i32 {
  return up(keys, TILE) + TILE;
}

/** Columns of a sum of values. */
export function columnsOf(valueSize: i32): i32 {
  return up(valueSize, 32);
}

/** Bytes of a query, f32. */
export function queryFloats(size: i32): i32 {
  return up(size, 4) * 4;
}

/** Scratch of attention: | rows | sums of values | queries | 16 bytes | scores |. */
export function attentionScratchBytes(keys: i32, size: i32, valueSize: i32): i32 {
  return ROWS * (ROW + queryFloats(size) + (columnsOf(valueSize) + scoresOf(keys)) * 4) + 32;
}

/** Bytes of a query's codes, i16. */
export function queryCodes(size: i32): i32 {
  return up(size, 16) * 2;
}

/** Bytes of scales of a tile, of the heads that rows done together have, and of shares of a tile, i16, of four rows. */
export const SCALES: i32 = ROWS * TILE * 4;
export const SHARES: i32 = 4 * TILE * 2;

/** Scratch of attentionInt8: | rows | sums of values | codes of queries | scales | shares | 16 bytes | scores |. */
export function attentionInt8ScratchBytes(keys: i32, size: i32, valueSize: i32): i32 {
  return SCALES + SHARES + ROWS * (ROW + queryCodes(size) + (columnsOf(valueSize) + scoresOf(keys)) * 4) + 32;
}
