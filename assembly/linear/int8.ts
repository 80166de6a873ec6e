// Linear layers over int8 codes whose range is over columns, for any number of rows on the packing that one row streams fastest.

import { dequantize, prepare } from "../int8/epilogue";
import { packTile } from "../int8/multiply";
import { BYTES, ROWS, STEP, TILE_STEP, tileBytes, tiledRows } from "../int8/panels";
import { BESIDE, CODES, Epilogue, panelBytes, rowBytes } from "../int8/sizes";
import { packRow8, rowDot8, tileDot8 } from "../int8/tile-dot8";
import { packRow16, rowPairs16, sumRow16 } from "../int8/tile-dot16";
import { up } from "../lanes/whole";
import { BLOCK_ROWS, blockBytes, DEPTH, loneBytes } from "./sizes";
import { tileWide } from "./tile-wide";

/**
 * to = x, u8 [rows][k], rows ldx apart, as linearInt8 multiplies it. Range: rows; a tile is packed with its first row.
 *
 * Layers that read the same codes share it, and so do threads.
 */
export function packRowsInt8(to: usize, x: usize, ldx: i32, rows: i32, k: i32, begin: i32, end: i32): void {
  for (let r = begin; r < end; r++) {
    const i = r % BLOCK_ROWS;
    const count = min(BLOCK_ROWS, rows - r + i);
    const tiled = tiledRows(count);
    const block = to + <usize>((r / BLOCK_ROWS) * blockBytes(BLOCK_ROWS, k));
    const from = x + <usize>(r * ldx);
    if (i >= tiled) packLone(lonesOf(block, tiled, k) + <usize>((i - tiled) * loneBytes(k)), from, k);
    else if (i % ROWS == 0)
      packTile(block + <usize>(i / ROWS) * tileBytes(k), from, ldx, from + <usize>((tiled - 1 - i) * ldx), k);
  }
}

/** Where rows one by one are, behind the tiles of a block. */
function lonesOf(block: usize, tiled: i32, k: i32): usize {
  return block + <usize>((tiled + ROWS - 1) / ROWS) * tileBytes(k);
}

/** A row by itself. */
function packLone(to: usize, x: usize, k: i32): void {
  if (BYTES) {
    if (packRow8(to, x, k) != to) memory.copy(to, x, rowBytes(k));
  } else {
    packRow16(to, x, k);
    v128.store(to + <usize>(rowBytes(k) << 1), sumRow16(to, k));
  }
}

/**
 * y[r][c] = clamp(f32(Σ_k x[r][k] · w[k][c] − xZero[r] · colsum[c]) · f32(xScale[r] · scale[c]) + bias[c], lo, hi)
 *
 * y f32 [rows][n], rows ldy elements apart; x from packRowsInt8; w and colsum from packWeightsInt8 (four panels beside
 * each other, z = 1), then packRowWeightsInt8. scale f32 [n], bias f32 [n] or 0. xScale f32 and xZero i32: one, or one a row.
 * The epilogue is that of DEQUANTIZE. Range: fours of panels, 32 columns. y overlaps nothing.
 *
 * A panel of 8 columns is read as one stream with the three beside it: four streams of short panels run at half of memory's bandwidth.
 * From a few rows on, each panel is opened in scratch, where all rows of a block meet it.
 */
export function linearInt8(
  y: usize,
  ldy: i32,
  x: usize,
  w: usize,
  colsum: usize,
  scale: usize,
  bias: usize,
  xScale: usize,
  xZero: usize,
  scratch: usize,
  rows: i32,
  n: i32,
  k: i32,
  epilogue: usize,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Epilogue>(epilogue);
  prepare(scratch, how, 0);
  const step = (<usize>how.rowStride) << 2;
  const row = (<usize>ldy) << 2;
  const panel = scratch + CODES;
  for (let r = 0; r < rows; r += BLOCK_ROWS, x += blockBytes(BLOCK_ROWS, k)) {
    const count = min(BLOCK_ROWS, rows - r);
    const to = y + <usize>r * row;
    const tiled = tiledRows(count);
    const lone = lonesOf(x, tiled, k);
    const at = <usize>r * step;
    for (let p = begin; p < end; p++) {
      const first = p << 5;
      const last = min(first + 32, n);
      for (let i = tiled, own = lone; i < count; i++, own += loneBytes(k))
        multiplyRow(to + <usize>i * row, own, w, colsum, scale, n, k, p, scratch);
      if (tiled > 0) multiplyBlock(to, row, x, panel, w, colsum, scale, tiled, n, k, p, scratch);
      dequantize(to, row, count, colsum, scale, bias, xScale + at, xZero + at, step, how, first, last);
    }
  }
}

/** One row, as packLone has it, against the panels of four `p`. */
function multiplyRow(
  y: usize,
  x: usize,
  w: usize,
  colsum: usize,
  scale: usize,
  n: i32,
  k: i32,
  p: i32,
  codes: usize,
): void {
  const stop = (n + 7) >> 3;
  if (BYTES) {
    rowDot8(y, x, w, colsum, scale, n, k, p << 2, stop, true, codes);
  } else {
    const sum = v128.load(x + <usize>(rowBytes(k) << 1));
    rowPairs16(y, x, w, colsum, scale, sum, n, k, p << 2, stop, codes);
  }
}

/** All tiles of a block against the panels of four `p`, each opened once. */
function multiplyBlock(
  y: usize,
  ldy: usize,
  x: usize,
  panel: usize,
  w: usize,
  colsum: usize,
  scale: usize,
  rows: i32,
  n: i32,
  k: i32,
  p: i32,
  codes: usize,
): void {
  const tile = tileBytes(k);
  const yLast = y + <usize>(rows - 1) * ldy;
  let own = w + <usize>((p * panelBytes(k)) << 2);
  for (let c = p << 5, end = min(c + 32, n); c < end; c += 8, own += STEP) {
    const skip = (<usize>c) << 2;
    const last = yLast + skip;
    if (BYTES) {
      openBytes(panel, own, k);
      for (let r = 0, to = y + skip, from = x; r < rows; r += ROWS, to += ldy * ROWS, from += tile)
        tileDot8(to, ldy, last, n - c, from, panel, k, colsum + skip, scale + skip, codes);
      continue;
    }
    let i = 0;
    do {
      const depth = min(DEPTH, k - i);
      openWide(panel, own + <usize>(i * (STEP >> 1)) * BESIDE, depth);
      for (
        let r = 0, to = y + skip, from = x + <usize>i * TILE_STEP;
        r < rows;
        r += ROWS, to += ldy * ROWS, from += tile
      )
        tileWide(to, ldy, last, n - c, from, panel, depth, i > 0);
      i += DEPTH;
    } while (i < k);
  }
}

/** A panel without those beside it. */
function openBytes(to: usize, w: usize, k: i32): void {
  for (const end = to + <usize>panelBytes(k); to < end; to += STEP, w += STEP * BESIDE) {
    v128.store(to, v128.load(w));
    if (STEP == 32) v128.store(to, v128.load(w, 16), 16);
  }
}

/** A panel of packRowWeightsInt8 as i16. */
function openWide(to: usize, w: usize, k: i32): void {
  const byte = i16x8.splat(255);
  const zero = i16x8.splat(128);
  for (const end = to + ((<usize>up(k, 2)) << 4); to < end; to += 32, w += STEP * BESIDE) {
    const pair = v128.load(w);
    v128.store(to, i16x8.sub(v128.and(pair, byte), zero));
    v128.store(to, i16x8.shr_s(pair, 8), 16);
  }
}
