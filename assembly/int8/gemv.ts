// int8 products of a single row, split over columns. Same bits as the GEMM's rows.

import { dequantize, prepare } from "./epilogue";
import { multiplyVector } from "./multiply";
import { CODES, DEQUANTIZE, Epilogue } from "./sizes";

/**
 * gemmInt8 of one row, without ADD. The range is over fours of panels, 32 columns, which have been through
 * packRowWeightsInt8. y [n], x u8 [k]. y overlaps nothing.
 */
export function gemvInt8(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  bias: usize,
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
  prepare(scratch, how, 0);
  multiplyVector(y, x, w, offset, scale, scratch + CODES, n, k, begin, end, scratch);
  if (<i32>how.kind == DEQUANTIZE)
    dequantize(y, 0, 1, offset, scale, bias, xScale, xZero, 0, how, begin << 5, min(end << 5, n));
}
