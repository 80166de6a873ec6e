// Weight gradients of matrix products: Linear, MatMul and pointwise convolutions.

import { up } from "../lanes/whole";
import { packColumns } from "./numbers";
import { addOuter } from "./outer";

/** Rows that are packed at once, and columns beside them: 256 kB, which stay in the second-level cache. */
const ROWS: i32 = 256;
const COLUMNS: i32 = 256;

/**
 * y[i][j] = Σ_r a[r][i]·b[r][j] for i < m, j < n.
 *
 *   scratch | a: panels of 4 columns of a block of rows | b: a panel of 8 columns |
 */
function outer<A, B>(
  y: usize,
  ldy: i32,
  a: usize,
  lda: i32,
  m: i32,
  b: usize,
  ldb: i32,
  n: i32,
  scratch: usize,
  rows: i32,
  zero: v128,
  scale: v128,
): void {
  const out = (<usize>ldy) << 2;
  const panels = scratch + ((<usize>(min(rows, ROWS) * up(min(m, COLUMNS), 4))) << 2);
  let r = 0;
  do {
    const count = min(ROWS, rows - r);
    for (let first = 0; first < m; first += COLUMNS) {
      const last = min(m, first + COLUMNS);
      let to = scratch;
      for (let i = first; i < last; i += 4, to += (<usize>count) << 4)
        packColumns<A>(to, a + <usize>i * sizeof<A>(), lda, count, 4, zero, scale);
      for (let j = 0; j < n; j += 8) {
        packColumns<B>(panels, b + <usize>j * sizeof<B>(), ldb, count, 8, zero, scale);
        let from = scratch;
        let at = y + <usize>first * out + ((<usize>j) << 2);
        for (let i = first; i < last; i += 4, from += (<usize>count) << 4, at += out << 2)
          addOuter(at, out, last - i, n - j, r == 0, from, 4, 8, 12, 16, 0, panels, 1, count);
      }
    }
    a += <usize>(count * lda) * sizeof<A>();
    b += <usize>(count * ldb) * sizeof<B>();
    r += count;
  } while (r < rows);
}

function weightGradient<T>(
  dw: usize,
  dy: usize,
  lddy: i32,
  x: usize,
  ldx: i32,
  scratch: usize,
  rows: i32,
  n: i32,
  k: i32,
  strideN: i32,
  strideK: i32,
  scale: f32,
  zero: i32,
  begin: i32,
  end: i32,
): void {
  const s = f32x4.splat(scale);
  const z = i32x4.splat(zero);
  dw += (<usize>(begin * strideN)) << 2;
  dy += (<usize>begin) << 2;
  n = end - begin;
  if (strideK == 1) outer<f32, T>(dw, strideN, dy, lddy, n, x, ldx, k, scratch, rows, z, s);
  else outer<T, f32>(dw, strideK, x, ldx, k, dy, lddy, n, scratch, rows, z, s);
}

/**
 * dw[j·strideN + i·strideK] = Σ_r dy[r][j]·x[r][i], r ascending. One of the strides is 1.
 *
 * dy [rows][n], lddy elements apart; x [rows][k], ldx apart. Range: j, the n outputs. scratch:
 * productWeightGradientScratchBytes(rows, n, k).
 */
export function productWeightGradient(
  dw: usize,
  dy: usize,
  lddy: i32,
  x: usize,
  ldx: i32,
  scratch: usize,
  rows: i32,
  n: i32,
  k: i32,
  strideN: i32,
  strideK: i32,
  begin: i32,
  end: i32,
): void {
  weightGradient<f32>(dw, dy, lddy, x, ldx, scratch, rows, n, k, strideN, strideK, 1, 0, begin, end);
}

/** The same of x as u8 codes, each (q − zero)·scale: the bits of `productWeightGradient` over those numbers. */
export function productWeightGradientCodes(
  dw: usize,
  dy: usize,
  lddy: i32,
  x: usize,
  ldx: i32,
  scratch: usize,
  rows: i32,
  n: i32,
  k: i32,
  strideN: i32,
  strideK: i32,
  scale: f32,
  zero: i32,
  begin: i32,
  end: i32,
): void {
  weightGradient<u8>(dw, dy, lddy, x, ldx, scratch, rows, n, k, strideN, strideK, scale, zero, begin, end);
}
