// Weight gradients of matrix products: Linear, MatMul and pointwise convolutions.

import { up } from "../lanes/whole";
import { packColumns } from "./numbers";
import { addOuter } from "./outer";
import { COLUMNS, ROWS } from "./sizes";

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

/**
 * dw[j·strideN + i·strideK] = Σ_r dy[r][j]·x[r][i], r ascending. One of the strides is 1.
 *
 * dy [rows][n], lddy elements apart; x [rows][k], ldx apart, f32, or u8 codes where `coded`: each (q − zero)·scale, to the same
 * bits. Range: j, the n outputs. scratch: productWeightGradientScratchBytes(rows, n, k).
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
  coded: i32,
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
  if (strideK == 1) {
    if (coded) outer<f32, u8>(dw, strideN, dy, lddy, n, x, ldx, k, scratch, rows, z, s);
    else outer<f32, f32>(dw, strideN, dy, lddy, n, x, ldx, k, scratch, rows, z, s);
  } else if (coded) outer<u8, f32>(dw, strideK, x, ldx, k, dy, lddy, n, scratch, rows, z, s);
  else outer<f32, f32>(dw, strideK, x, ldx, k, dy, lddy, n, scratch, rows, z, s);
}
