// Tiles over panels of i16, which both int8 and 4-bit weights are opened to: what a panel's codes are is decided once for all rows
// that meet it, and the loop is the same.
//
//   x tile, 4 rows of i16, 16 bytes a step (packTile16)      w panel, 8 columns of i16, 32 bytes a step
//   k 0,1 | r0: k0 k1 | r1: k0 k1 | r2 | r3 |                k 0,1 | c0: k0 k1 | c1 | c2 | c3 | c4 | c5 | c6 | c7 |

import { multiplyAdd16 } from "../int8/multiply-add";
import { storeWords8 } from "../lanes/lanes";
import { up } from "../lanes/whole";

/** Sums of a row to y, or added to those there. */
function put(y: usize, a: v128, b: v128, cols: i32, adds: bool): void {
  if (adds) {
    a = i32x4.add(a, v128.load(y));
    b = i32x4.add(b, v128.load(y, 16));
  }
  storeWords8(y, a, b, cols);
}

/** Four rows × 8 columns, i32; row r goes to min(y + r·ldy, yLast). Rows past the last repeat it, and are not added. */
export function tileWide(
  y: usize,
  ldy: usize,
  yLast: usize,
  cols: i32,
  x: usize,
  w: usize,
  k: i32,
  adds: bool,
): void {
  let c00 = i32x4.splat(0);
  let c10 = c00;
  let c20 = c00;
  let c30 = c00;
  let c01 = c00;
  let c11 = c00;
  let c21 = c00;
  let c31 = c00;
  for (const end = x + ((<usize>up(k, 2)) << 3); x < end; x += 16, w += 32) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    let v = v128.load32_splat(x);
    c00 = multiplyAdd16(c00, v, w0);
    c01 = multiplyAdd16(c01, v, w1);
    v = v128.load32_splat(x, 4);
    c10 = multiplyAdd16(c10, v, w0);
    c11 = multiplyAdd16(c11, v, w1);
    v = v128.load32_splat(x, 8);
    c20 = multiplyAdd16(c20, v, w0);
    c21 = multiplyAdd16(c21, v, w1);
    v = v128.load32_splat(x, 12);
    c30 = multiplyAdd16(c30, v, w0);
    c31 = multiplyAdd16(c31, v, w1);
  }
  put(y, c00, c01, cols, adds);
  if (y >= yLast) return;
  y += ldy;
  put(y, c10, c11, cols, adds);
  if (y >= yLast) return;
  y += ldy;
  put(y, c20, c21, cols, adds);
  if (y >= yLast) return;
  put(y + ldy, c30, c31, cols, adds);
}
