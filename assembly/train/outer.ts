// The f32 product of weight gradients: both operands are walked along their rows, which are what is summed.
//
//   a, 4 columns, anywhere             b, 8 columns, packed
//   r 0 | a0 | … | a1 | a2 | a3 |      r 0 | b0 | b1 | ... | b7 |
//   r 1 | a0 | … | a1 | a2 | a3 |      r 1 | b0 | b1 | ... | b7 |
//         `step` bytes apart                 32 bytes a step
//
// A sum goes on from what y has, so rows may come in blocks: each product is rounded, then each sum, r ascending
// from 0. The tile is that of ../tile: 8 sums, 2 columns, 1 splat, 1 product.

import { storeWords8 } from "../lanes/lanes";

/**
 * y[i][j] += Σ_r a[r][i]·b[r][j] for i < min(rows, 4) and j < min(cols, 8); `fresh`: y was 0.
 *
 * ldy bytes from one row of y to the next. Column i of a starts at a + ai; a has `lines`, `line` bytes apart, of `count`
 * rows, `step` bytes apart.
 */
export function addOuter(
  y: usize,
  ldy: usize,
  rows: i32,
  cols: i32,
  fresh: bool,
  a: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  step: usize,
  line: usize,
  b: usize,
  lines: i32,
  count: i32,
): void {
  const y1 = rows > 1 ? y + ldy : y;
  const y2 = rows > 2 ? y1 + ldy : y;
  const y3 = rows > 3 ? y2 + ldy : y;
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  if (!fresh) {
    c00 = v128.load(y);
    c01 = v128.load(y, 16);
    c10 = v128.load(y1);
    c11 = v128.load(y1, 16);
    c20 = v128.load(y2);
    c21 = v128.load(y2, 16);
    c30 = v128.load(y3);
    c31 = v128.load(y3, 16);
  }
  const width = (<usize>count) << 5;
  for (; lines > 0; lines--, a += line) {
    let p = a;
    for (const stop = b + width; b < stop; b += 32, p += step) {
      const b0 = v128.load(b);
      const b1 = v128.load(b, 16);
      let v = v128.load32_splat(p);
      c00 = f32x4.add(c00, f32x4.mul(v, b0));
      c01 = f32x4.add(c01, f32x4.mul(v, b1));
      v = v128.load32_splat(p + a1);
      c10 = f32x4.add(c10, f32x4.mul(v, b0));
      c11 = f32x4.add(c11, f32x4.mul(v, b1));
      v = v128.load32_splat(p + a2);
      c20 = f32x4.add(c20, f32x4.mul(v, b0));
      c21 = f32x4.add(c21, f32x4.mul(v, b1));
      v = v128.load32_splat(p + a3);
      c30 = f32x4.add(c30, f32x4.mul(v, b0));
      c31 = f32x4.add(c31, f32x4.mul(v, b1));
    }
  }
  if (cols >= 8) {
    if (rows > 3) {
      v128.store(y3, c30);
      v128.store(y3, c31, 16);
    }
    if (rows > 2) {
      v128.store(y2, c20);
      v128.store(y2, c21, 16);
    }
    if (rows > 1) {
      v128.store(y1, c10);
      v128.store(y1, c11, 16);
    }
    v128.store(y, c00);
    v128.store(y, c01, 16);
  } else {
    storeWords8(y, c00, c01, cols);
    if (rows > 1) storeWords8(y1, c10, c11, cols);
    if (rows > 2) storeWords8(y2, c20, c21, cols);
    if (rows > 3) storeWords8(y3, c30, c31, cols);
  }
}
