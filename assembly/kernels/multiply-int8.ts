// What GEMM and convolution share: one block of rows against every panel of w. T is u8 (requantized) or i32 (raw
// sums). The panels are the outer loop, so that one stays in L1 while the block's tiles pass.

import { start } from "./epilogue-int8";
import { panelBytes, ROWS, TABLE, tileBytes, tiledRows, WIDE } from "./panels-int8";
import { packTile8, rowDot8, tileDot8 } from "./tile-dot8";
import { packRow16, packTile16, rowDot16, tileDot16 } from "./tile-dot16";

/**
 * y[r][c] = Σ_k x[r][k] · w[k][c], requantized when T is u8.
 *
 * ldy and ldx in bytes. lo, hi and shift as `requantize` takes them. scratch: | table | packed tiles |
 */
export function multiplyRows<T>(
  y: usize,
  ldy: usize,
  x: usize,
  ldx: usize,
  w: usize,
  offset: usize,
  scale: usize,
  scratch: usize,
  rows: i32,
  n: i32,
  k: i32,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  const tiled = tiledRows(rows);
  const tiles = scratch + TABLE;
  let from = x;
  for (let r = 0, to = tiles; r < tiled; r += ROWS, to += tileBytes(k)) {
    for (let i = 0; i < ROWS; i++) {
      store<usize>(scratch + ((<usize>i) << 2), from);
      if (r + i + 1 < tiled) from += ldx;
    }
    packTile(to, scratch, k);
  }
  multiplyTiles<T>(y, ldy, tiles, w, offset, scale, tiled, n, k, lo, hi, shift);
  for (let r = tiled; r < rows; r++) {
    const row = x + <usize>r * ldx;
    multiplyRow<T>(y + <usize>r * ldy, row, w, offset, scale, tiles, n, k, 0, (n + 7) >> 3, lo, hi, shift);
  }
}

/** The rows listed in `table` → a tile of this class. */
export function packTile(to: usize, table: usize, k: i32): void {
  if (ASC_FEATURE_RELAXED_SIMD) packTile8(to, table, k);
  else packTile16(to, table, k);
}

/** One row against panels [begin, end). scratch (baseline only): up(k, 8) i16. */
export function multiplyRow<T>(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  scratch: usize,
  n: i32,
  k: i32,
  begin: i32,
  end: i32,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  if (!ASC_FEATURE_RELAXED_SIMD) packRow16(scratch, x, k);
  for (let p = begin; p < end; p += WIDE) {
    if (ASC_FEATURE_RELAXED_SIMD) rowDot8<T>(y, x, w, offset, scale, n, k, p, end, lo, hi, shift);
    else rowDot16<T>(y, scratch, w, offset, scale, n, k, p, end, lo, hi, shift);
  }
}

/** Packed tiles that hold `rows` rows, the last one repeated to fill its tile, against every panel. */
export function multiplyTiles<T>(
  y: usize,
  ldy: usize,
  tiles: usize,
  w: usize,
  offset: usize,
  scale: usize,
  rows: i32,
  n: i32,
  k: i32,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  if (rows == 0) return;
  const tile = tileBytes(k);
  for (let c = 0; c < n; c += 8, y += 8 * sizeof<T>(), w += panelBytes(k), offset += 32, scale += 32) {
    const o0 = start<T>(offset);
    const o1 = start<T>(offset + 16);
    const s0 = v128.load(scale);
    const s1 = v128.load(scale, 16);
    const last = y + <usize>(rows - 1) * ldy;
    for (let to = y, x = tiles; to <= last; to += <usize>ROWS * ldy, x += tile) {
      if (ASC_FEATURE_RELAXED_SIMD) tileDot8<T>(to, ldy, last, n - c, x, w, k, o0, o1, s0, s1, lo, hi, shift);
      else tileDot16<T>(to, ldy, last, n - c, x, w, k, o0, o1, s0, s1, lo, hi, shift);
    }
  }
}
