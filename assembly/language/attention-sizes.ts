// What the attention kernels and their host both know: heads, and scratch.

import { larger, up } from "../lanes/whole";

/** Heads and what they see, as kernels read it from memory: i32, in this order. */
export class Heads {
  /** Of queries, and of keys and values: heads / groups share these. */
  heads: i32 = 0;
  groups: i32 = 0;
  /** Elements of a query and a key, and of a value. */
  size: i32 = 0;
  valueSize: i32 = 0;
  /** Keys that a query sees before its own position and behind it; −1: all. */
  left: i32 = -1;
  right: i32 = -1;
  /** 1: the heads of a token lie beside each other, in queries and results; in keys and values. */
  isFlat: i32 = 0;
  isFlatKeys: i32 = 0;
  /** 1: masks are bytes. */
  isBool: i32 = 0;
  /** What becomes of scores that are put out (softmaxOf). */
  mode: i32 = 0;
}

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

/** Elements of a key that lie together, and keys of which an element of a value lies together with those of others. */
export const BLOCK: i32 = 4;
/** Keys of which scores are summed at once, and columns of values. */
export const KEYS: i32 = 16;
export const COLUMNS: i32 = 16;

/** Elements of a key in a cache of codes: whole blocks, zeros behind the key's own. */
export function keySizeOf(size: i32): i32 {
  return up(size, BLOCK);
}

/** Bytes of a query's codes: i16, or two bytes each. */
export function queryCodes(size: i32): i32 {
  return keySizeOf(size) * 2;
}

/** Bytes of a tile's shares, i16 at most. */
export const SHARES: i32 = TILE * 2;

/** Bytes of an opened tile of keys or values, i16, and of what is read behind it. */
export function openTileBytes(size: i32, valueSize: i32): i32 {
  return (TILE * larger(keySizeOf(size), valueSize) + COLUMNS * BLOCK) * 2;
}

/** Scratch of attentionInt8: | rows | sums of values | codes of queries | shares | an opened tile | scores |. */
export function attentionInt8ScratchBytes(keys: i32, size: i32, valueSize: i32): i32 {
  const rows = ROWS * (ROW + queryCodes(size) + (columnsOf(valueSize) + scoresOf(keys)) * 4);
  return rows + SHARES + openTileBytes(size, valueSize) + 16;
}
