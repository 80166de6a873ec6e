// What GEMM and convolution share: one block of rows against every panel of w. T is u8 (requantized) or i32 (raw
// sums). The panels are the outer loop, so that one stays in L1 while the block's tiles pass.

import { up } from "../simd";
import { start } from "./epilogue-int8";
import { LONE, panelBytes, ROWS, tileBytes, WIDE } from "./panels-int8";
import { packTile8, rowDot8, tileDot8 } from "./tile-dot8";
import { packRow16, packTile16, rowDot16, tileDot16 } from "./tile-dot16";

/**
 * y[r][c] = Σ_k x[r][k] · w[k][c], requantized when T is u8.
 *
 * ldy and ldx in bytes. lo, hi and shift as `requantize` takes them. scratch (baseline only): up(rows, 4) ·
 * up(k, 8) i16.
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
  const left = rows % ROWS,
    tiled = left <= LONE ? rows - left : rows;
  if (tiled > 0) multiplyTiles<T>(y, ldy, x, ldx, w, offset, scale, scratch, tiled, n, k, lo, hi, shift);
  for (let r = tiled; r < rows; r++) {
    multiplyRow<T>(
      y + <usize>r * ldy,
      x + <usize>r * ldx,
      w,
      offset,
      scale,
      scratch,
      n,
      k,
      0,
      (n + 7) >> 3,
      lo,
      hi,
      shift,
    );
  }
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

function multiplyTiles<T>(
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
  const tile = tileBytes(k);
  const xLast = x + <usize>(rows - 1) * ldx;
  for (let r = 0, to = scratch; r < rows; r += ROWS, to += tile) {
    if (ASC_FEATURE_RELAXED_SIMD) packTile8(to, x + <usize>r * ldx, ldx, xLast, k);
    else packTile16(to, x + <usize>r * ldx, ldx, xLast, k);
  }
  for (let c = 0; c < n; c += 8, y += 8 * sizeof<T>(), w += panelBytes(k), offset += 32, scale += 32) {
    const o0 = start<T>(offset);
    const o1 = start<T>(offset + 16);
    const s0 = v128.load(scale);
    const s1 = v128.load(scale, 16);
    const yLast = y + <usize>(rows - 1) * ldy;
    for (let yr = y, xr = scratch; yr <= yLast; yr += <usize>ROWS * ldy, xr += tile) {
      if (ASC_FEATURE_RELAXED_SIMD)
        tileDot8<T>(yr, ldy, yLast, n - c, xr, w, k, o0, o1, s0, s1, lo, hi, shift);
      else tileDot16<T>(yr, ldy, yLast, n - c, xr, w, k, o0, o1, s0, s1, lo, hi, shift);
    }
  }
}
