// int8 products of a single row, split over columns. Same bits as the GEMM's rows.

import { addOffset, CODES, dequantizeRow, storeCodes } from "./epilogue";
import { multiplyVector } from "./multiply";

/**
 * y[c] = clamp(rne(f32(Σ_k x[k] · w[k][c] + offset[c]) · scale[c]) + yZero, lo, hi)
 *
 * As gemmInt8 with one row; the range is over fours of panels, 32 columns, which have been through packRowWeightsInt8. y u8 [n],
 * x u8 [k]. y overlaps nothing.
 */
export function gemvInt8(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  scratch: usize,
  n: i32,
  k: i32,
  yZero: i32,
  lo: i32,
  hi: i32,
  begin: i32,
  end: i32,
): void {
  storeCodes(scratch, yZero, lo, hi);
  multiplyVector<u8>(y, x, w, offset, scale, scratch + CODES, n, k, begin, end, scratch);
}

/**
 * y[c] = clamp(f32(Σ_k x[k] · w[k][c] − xZero · colsum[c]) · f32(xScale · scale[c]) + bias[c], lo, hi)
 *
 * As gemmInt8Dynamic with one row; the range is over 32 columns, as in gemvInt8. xScale and xZero are addresses.
 */
export function gemvInt8Dynamic(
  y: usize,
  x: usize,
  w: usize,
  colsum: usize,
  scale: usize,
  bias: usize,
  xScale: usize,
  xZero: usize,
  scratch: usize,
  n: i32,
  k: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  multiplyVector<i32>(y, x, w, colsum, scale, scratch, n, k, begin, end, 0);
  dequantizeRow(
    y,
    colsum,
    scale,
    bias,
    load<f32>(xScale),
    load<i32>(xZero),
    lo,
    hi,
    begin << 5,
    min(end << 5, n),
  );
}

/** y[c] = Σ_k x[k] · w[k][c] + offset[c], i32: gemmInt8Sums of one row, over 32 columns as in gemvInt8. */
export function gemvInt8Sums(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scratch: usize,
  n: i32,
  k: i32,
  begin: i32,
  end: i32,
): void {
  multiplyVector<i32>(y, x, w, offset, offset, scratch, n, k, begin, end, 0);
  addOffset(y, offset, begin << 5, min(end << 5, n));
}
