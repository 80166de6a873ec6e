// Copies that change where elements lie, and fills. Operands do not overlap.

import { copyRun } from "../lanes/runs";
import { storeWords } from "../lanes/simd";
import { turn8, turn32 } from "./transpose";

/** y[r] = x[r]: rows of `bytes`, ldy and ldx bytes apart. Range: rows. */
export function copyRows(y: usize, ldy: i32, x: usize, ldx: i32, bytes: i32, begin: i32, end: i32): void {
  y += <usize>(begin * ldy);
  x += <usize>(begin * ldx);
  if (ldy == bytes && ldx == bytes) copyRun(y, x, bytes * (end - begin));
  else for (let r = begin; r < end; r++, y += ldy, x += ldx) copyRun(y, x, bytes);
}

/** Elements of 4 bytes, or 1, `dy` and `dx` bytes apart. */
function copySpread(y: usize, dy: usize, x: usize, dx: usize, size: i32, n: i32): void {
  if (size == 4) for (; n > 0; n--, x += dx, y += dy) store<i32>(y, load<i32>(x));
  else for (; n > 0; n--, x += dx, y += dy) store<u8>(y, load<u8>(x));
}

/** The two innermost loops: runs, a matrix turned, or elements. */
function copyMatrix(
  y: usize,
  x: usize,
  size: i32,
  d4: i32,
  d5: i32,
  y4: usize,
  y5: usize,
  x4: usize,
  x5: usize,
): void {
  if (y5 == <usize>size && x4 == y5 && x5 != y5 && <i32>x5 >= 0 && d4 > 1) {
    if (size == 4) turn32(y, y4, x, x5, d5, d4);
    else turn8(y, y4, x, x5, d5, d4);
    return;
  }
  for (; d4 > 0; d4--, y += y4, x += x4) {
    if (y5 == <usize>size && x5 == y5) copyRun(y, x, d5 * size);
    else copySpread(y, y5, x, x5, size, d5);
  }
}

/**
 * y[Σ i·y_] = x[Σ i·x_] for i0 from begin to end, i1 < d1 … i5 < d5: elements of `size` bytes, 4 or 1.
 *
 * Strides in bytes, of any sign, 0 in x to repeat. Transposes, slices, pads, concatenates and expands: fastest where the elements of
 * a row of y, i5, lie together, and those of i5 or of i4 in x.
 */
export function copyStrided(
  y: usize,
  x: usize,
  size: i32,
  d1: i32,
  d2: i32,
  d3: i32,
  d4: i32,
  d5: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  y4: i32,
  y5: i32,
  x0: i32,
  x1: i32,
  x2: i32,
  x3: i32,
  x4: i32,
  x5: i32,
  begin: i32,
  end: i32,
): void {
  for (let i0 = begin; i0 < end; i0++) {
    for (let i1 = 0; i1 < d1; i1++) {
      for (let i2 = 0; i2 < d2; i2++) {
        let q = y + <usize>(i0 * y0 + i1 * y1 + i2 * y2);
        let p = x + <usize>(i0 * x0 + i1 * x1 + i2 * x2);
        for (let i3 = 0; i3 < d3; i3++, q += <usize>y3, p += <usize>x3)
          copyMatrix(q, p, size, d4, d5, y4, y5, x4, x5);
      }
    }
  }
}

/** y = value, 4-byte elements begin to end. */
export function fill32(y: usize, value: i32, begin: i32, end: i32): void {
  const v = i32x4.splat(value);
  for (let i = begin; i < end; i += 4) storeWords(y + ((<usize>i) << 2), v, end - i);
}
