// int8 matrix products over rows.

import { dequantize, prepare, resultBytes } from "./epilogue";
import { multiplyRows } from "./multiply";
import { blockRows } from "./panels";
import { CODES, DEQUANTIZE, Epilogue } from "./sizes";

/**
 * y[r][c] of p = Σ_k x[r][k] · w[k][c] and s = p + offset[c], as the epilogue says:
 *
 *   REQUANTIZE   q = clamp(rne(f32(s) · scale[c]) + zero, lo, hi), u8
 *   ADD          clamp(rne(((q − zero) · ownScale + (addend[r][c] − otherZero) · otherScale) / sumScale) + sumZero,
 *                sumLo, sumHi), u8: the bytes of addInt8, but q is in no memory; 255 · (ownScale + otherScale) < 2²¹ · sumScale
 *   SUMS         s, i32
 *   DEQUANTIZE   clamp(f32(p − xZero[r] · offset[c]) · f32(xScale[r] · scale[c]) + addend[c], lo, hi), f32
 *
 * y [rows][n], rows ldy elements apart. x u8 [rows][k], rows ldx apart. w and offset from packWeightsInt8: −xZero, scaled by
 * the columns' sums, is in offset, or of DEQUANTIZE, with z = 1 and no bias, those sums alone. scale f32 [n]. addend: u8, rows
 * as those of y (ADD), or f32 [n] (DEQUANTIZE), 0 for none. xScale f32 and xZero i32: one, or one a row (rowStride).
 * Rows [begin, end). y overlaps nothing.
 */
export function gemmInt8(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  offset: usize,
  scale: usize,
  addend: usize,
  xScale: usize,
  xZero: usize,
  scratch: usize,
  n: i32,
  k: i32,
  epilogue: usize,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Epilogue>(epilogue);
  prepare(scratch, how, addend - y);
  const row = <usize>ldy * resultBytes(scratch);
  const step = (<usize>how.rowStride) << 2;
  const block = blockRows(end - begin, k);
  const tiles = scratch + CODES;
  for (let r = begin; r < end; r += block) {
    const rows = min(block, end - r);
    const to = y + <usize>r * row;
    multiplyRows(to, row, x + <usize>r * ldx, ldx, w, offset, scale, tiles, rows, n, k, scratch);
    if (<i32>how.kind == DEQUANTIZE) {
      const at = <usize>r * step;
      dequantize(to, row, rows, offset, scale, addend, xScale + at, xZero + at, step, how, 0, n);
    }
  }
}
