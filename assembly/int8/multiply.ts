// What GEMM and convolution share: one block of rows against every panel of w. The panels are the outer loop, so that one
// stays in L1 while the block's tiles pass.

import { resultBytes } from "./epilogue";
import { BYTES, ROWS, tileBytes, tiledRows } from "./panels";
import { BESIDE, panelBytes } from "./sizes";
import { packRow8, packTile8, rowDot8, tileDot8 } from "./tile-dot8";
import { packRow16, packTile16, rowDot16, rowPairs16, sumRow16, tileDot16 } from "./tile-dot16";

/**
 * y[r][c] = Σ_k x[r][k] · w[k][c], and what `codes`, from prepare, make of it.
 *
 * ldy and ldx in bytes. scratch: packed tiles.
 */
export function multiplyRows(
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
  codes: usize,
): void {
  const tiled = tiledRows(rows);
  const tiles = (tiled + ROWS - 1) / ROWS;
  const tile = tileBytes(k);
  const last = <usize>(tiled - 1);
  let from = x;
  for (let t = 0, to = scratch; t < tiles; t++, to += tile, from += ldx * ROWS)
    packTile(to, from, ldx, x + last * ldx, k);
  const end = y + last * ldy;
  multiplyTiles(y, ldy, ldy * ROWS, ROWS, end, scratch, tile, tiles, w, offset, scale, n, k, codes);
  for (let r = tiled; r < rows; r++) {
    const row = x + <usize>r * ldx;
    multiplyRow(y + <usize>r * ldy, row, w, offset, scale, scratch, n, k, codes);
  }
}

/** Rows of u8, `step` bytes apart and none past `last`, → a tile of this class. */
export function packTile(to: usize, x: usize, step: usize, last: usize, k: i32): void {
  if (BYTES) packTile8(to, x, step, last, k);
  else packTile16(to, x, step, last, k);
}

/** One of a few rows against all panels. scratch: up(k, 8) + 8 i16. */
function multiplyRow(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  scratch: usize,
  n: i32,
  k: i32,
  codes: usize,
): void {
  const end = (n + 7) >> 3;
  if (BYTES) {
    const row = packRow8(scratch, x, k);
    for (let p = 0; p < end; p += 4) rowDot8(y, row, w, offset, scale, n, k, p, end, false, codes);
  } else {
    packRow16(scratch, x, k);
    for (let p = 0; p < end; p += 2) rowDot16(y, scratch, w, offset, scale, n, k, p, end, codes);
  }
}

/** A vector against fours of panels [begin, end) of packRowWeightsInt8. scratch as for multiplyRow. */
export function multiplyVector(
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
  codes: usize,
): void {
  const stop = (n + 7) >> 3;
  if (BYTES) {
    const row = packRow8(scratch, x, k);
    for (let p = begin * BESIDE; p < end * BESIDE; p += BESIDE)
      rowDot8(y, row, w, offset, scale, n, k, p, stop, true, codes);
  } else {
    packRow16(scratch, x, k);
    const sum = sumRow16(scratch, k);
    for (let p = begin * BESIDE; p < end * BESIDE; p += BESIDE)
      rowPairs16(y, scratch, w, offset, scale, sum, n, k, p, stop, codes);
  }
}

/**
 * `count` packed tiles, one each `tile` bytes of x, against every panel.
 *
 * Their results lie each `step` bytes of y, and those of the `lanes` rows of a tile each ldy bytes, none past `last`.
 */
export function multiplyTiles(
  y: usize,
  ldy: usize,
  step: usize,
  lanes: i32,
  last: usize,
  x: usize,
  tile: usize,
  count: i32,
  w: usize,
  offset: usize,
  scale: usize,
  n: i32,
  k: i32,
  codes: usize,
): void {
  const span = <usize>(lanes - 1) * ldy;
  const size = resultBytes(codes);
  for (let c = 0; c < n; c += 8, w += panelBytes(k), offset += 32, scale += 32) {
    const skip = <usize>c * size;
    let to = y + skip;
    for (let t = 0, from = x; t < count; t++, from += tile, to += step) {
      const end = min(to + span, last + skip);
      if (BYTES) tileDot8(to, ldy, end, n - c, from, w, k, offset, scale, codes);
      else tileDot16(to, ldy, end, n - c, from, w, k, offset, scale, codes);
    }
  }
}
