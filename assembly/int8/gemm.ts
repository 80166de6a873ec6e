// int8 matrix products over rows.

import { addOffset, CODES, dequantizeRow, storeCodes, storeSums } from "./epilogue";
import { multiplyRows } from "./multiply";
import { blockRows } from "./panels";

/**
 * y[r][c] = clamp(rne(f32(Σ_k x[r][k] · w[k][c] + offset[c]) · scale[c]) + yZero, lo, hi)
 *
 * y u8 [rows][n], rows ldy apart. x u8 [rows][k], rows ldx apart. w and offset from packWeightsInt8 (−xZero, scaled
 * by the columns' sums, is in offset). scale f32 [n]. lo and hi are codes. Rows [begin, end). y overlaps nothing.
 */
export function gemmInt8(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
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
  multiplyBlocks(y, ldy, x, ldx, w, offset, scale, scratch, n, k, begin, end);
}

/**
 * y[r][c] = clamp(rne(((q[r][c] − yZero) · s₀ + (other[r][c] − z₁) · s₁) / s₂) + z₂, lo₂, hi₂), q as gemmInt8's y
 *
 * The bytes of gemmInt8 and addInt8, but q is in no memory. other u8 [rows][n], rows ldy apart, as those of y. by f32
 * [s₀, s₁, z₁, s₂, z₂, lo₂, hi₂], 255 · (s₀ + s₁) < 2²¹ · s₂. Rows [begin, end). y overlaps nothing.
 */
export function gemmInt8Add(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  offset: usize,
  scale: usize,
  other: usize,
  by: usize,
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
  storeSums(scratch, other - y, by, hi - yZero);
  multiplyBlocks(y, ldy, x, ldx, w, offset, scale, scratch, n, k, begin, end);
}

/** Codes of rows [begin, end), as what is at the start of scratch says. */
function multiplyBlocks(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  offset: usize,
  scale: usize,
  scratch: usize,
  n: i32,
  k: i32,
  begin: i32,
  end: i32,
): void {
  const block = blockRows(end - begin, k);
  for (let r = begin; r < end; r += block) {
    multiplyRows<u8>(
      y + <usize>r * ldy,
      ldy,
      x + <usize>r * ldx,
      ldx,
      w,
      offset,
      scale,
      scratch + CODES,
      min(block, end - r),
      n,
      k,
      scratch,
    );
  }
}

/**
 * y[r][c] = clamp(f32(Σ_k x[r][k] · w[k][c] − xZero[r] · colsum[c]) · f32(xScale[r] · scale[c]) + bias[c], lo, hi)
 *
 * y f32 [rows][n], rows ldy apart. x u8 [rows][k]. colsum i32: packWeightsInt8's offset with z = 1 and no bias.
 * scale and bias f32 [n]; bias 0 is none. xScale f32 and xZero i32 are per row (rowStride 1) or single (0).
 * The sums lie in y until their block is done. Rows [begin, end). y overlaps nothing.
 */
export function gemmInt8Dynamic(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  colsum: usize,
  scale: usize,
  bias: usize,
  xScale: usize,
  xZero: usize,
  rowStride: i32,
  scratch: usize,
  n: i32,
  k: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const row = (<usize>ldy) << 2;
  const step = (<usize>rowStride) << 2;
  const block = blockRows(end - begin, k);
  for (let r = begin; r < end; r += block) {
    const rows = min(block, end - r);
    multiplyRows<i32>(
      y + <usize>r * row,
      row,
      x + <usize>r * ldx,
      ldx,
      w,
      colsum,
      scale,
      scratch,
      rows,
      n,
      k,
      0,
    );
    for (let i = r; i < r + rows; i++) {
      const s = load<f32>(xScale + <usize>i * step);
      const z = load<i32>(xZero + <usize>i * step);
      dequantizeRow(y + <usize>i * row, colsum, scale, bias, s, z, lo, hi, 0, n);
    }
  }
}

/**
 * y[r][c] = Σ_k x[r][k] · w[k][c] + offset[c], i32
 *
 * As gemmInt8, without what that makes of the sums. y i32 [rows][n], rows ldy apart.
 */
export function gemmInt8Sums(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  offset: usize,
  scratch: usize,
  n: i32,
  k: i32,
  begin: i32,
  end: i32,
): void {
  const row = (<usize>ldy) << 2;
  const block = blockRows(end - begin, k);
  for (let r = begin; r < end; r += block) {
    const rows = min(block, end - r);
    const at = y + <usize>r * row;
    multiplyRows<i32>(at, row, x + <usize>r * ldx, ldx, w, offset, offset, scratch, rows, n, k, 0);
    for (let i = 0; i < rows; i++) addOffset(at + <usize>i * row, offset, 0, n);
  }
}
