// Tiles of the baseline class. i32x4.dot_i16x8_s multiplies eight pairs of i16 and adds neighbours, so k goes two
// at a time: x is widened to i16 once per call, w stays int8 and is widened by its load (load8x8_s).
//
//   x panel, 4 rows of i16, 16 bytes a step      w panel, 8 columns of i8, 16 bytes a step
//   k 0,1 | r0: k0 k1 | r1: k0 k1 | r2 | r3 |    k 0,1 | c0: k0 k1 | c1: k0 k1 | … | c7 |
//   k 2,3 | r0: k2 k3 | r1: k2 k3 | r2 | r3 |    k 2,3 | c0: k2 k3 | c1: k2 k3 | … | c7 |
//
// The loops stay small and rolled: 8 sums + 2 w + 1 x fit V8's 15 vector registers, and unrolling spills.

import { up, zipHigh32, zipLow32 } from "../simd";
import { Results, start } from "./epilogue-int8";
import { panelBytes } from "./panels-int8";

/** c += x · w, pair by pair. */
function mac(c: v128, x: v128, w: v128): v128 {
  return i32x4.add(c, i32x4.dot_i16x8_s(x, w));
}

/** One row of u8 → i16, k up to a multiple of 8. */
export function packRow16(to: usize, x: usize, k: i32): void {
  for (const end = x + k; x < end; x += 8, to += 16) v128.store(to, v128.load8x8_u(x));
}

/** Four rows of u8, `step` bytes apart and none past `last`, → an i16 panel, k up to a multiple of 8. Transposes of pairs. */
export function packTile16(to: usize, x0: usize, step: usize, last: usize, k: i32): void {
  let x1 = min(x0 + step, last);
  let x2 = min(x1 + step, last);
  let x3 = min(x2 + step, last);
  for (const end = x0 + k; x0 < end; to += 64) {
    const r0 = v128.load8x8_u(x0);
    const r1 = v128.load8x8_u(x1);
    const r2 = v128.load8x8_u(x2);
    const r3 = v128.load8x8_u(x3);
    const low01 = zipLow32(r0, r1);
    const low23 = zipLow32(r2, r3);
    const high01 = zipHigh32(r0, r1);
    const high23 = zipHigh32(r2, r3);
    v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
    v128.store(to, i64x2.shuffle(low01, low23, 1, 3), 16);
    v128.store(to, i64x2.shuffle(high01, high23, 0, 2), 32);
    v128.store(to, i64x2.shuffle(high01, high23, 1, 3), 48);
    x0 += 8;
    x1 += 8;
    x2 += 8;
    x3 += 8;
  }
}

/** Four rows × 8 columns; row r goes to min(y + r·ldy, yLast): rows past the last repeat it. Sums start at o0 o1. */
export function tileDot16<T>(
  y: usize,
  ldy: usize,
  yLast: usize,
  cols: i32,
  x: usize,
  w: usize,
  k: i32,
  o0: v128,
  o1: v128,
  s0: v128,
  s1: v128,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  let c00 = o0;
  let c10 = o0;
  let c20 = o0;
  let c30 = o0;
  let c01 = o1;
  let c11 = o1;
  let c21 = o1;
  let c31 = o1;
  for (const end = x + ((<usize>up(k, 2)) << 3); x < end; x += 16, w += 16) {
    const w0 = v128.load8x8_s(w);
    const w1 = v128.load8x8_s(w, 8);
    let v = v128.load32_splat(x);
    c00 = mac(c00, v, w0);
    c01 = mac(c01, v, w1);
    v = v128.load32_splat(x, 4);
    c10 = mac(c10, v, w0);
    c11 = mac(c11, v, w1);
    v = v128.load32_splat(x, 8);
    c20 = mac(c20, v, w0);
    c21 = mac(c21, v, w1);
    v = v128.load32_splat(x, 12);
    c30 = mac(c30, v, w0);
    c31 = mac(c31, v, w1);
  }
  const y1 = min(y + ldy, yLast);
  const y2 = min(y1 + ldy, yLast);
  const y3 = min(y2 + ldy, yLast);
  Results.store<T>(y, y1, cols, c00, c01, c10, c11, s0, s1, lo, hi, shift);
  Results.store<T>(y2, y3, cols, c20, c21, c30, c31, s0, s1, lo, hi, shift);
}

/** One row of i16 × 16 columns: panels p and, while it is before `stop`, p + 1. */
export function rowDot16<T>(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  n: i32,
  k: i32,
  p: i32,
  stop: i32,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  const q = min(p + 1, stop - 1);
  const panel = panelBytes(k);
  const cols = min(stop << 3, n) - (p << 3);
  const op = offset + ((<usize>p) << 5);
  const oq = offset + ((<usize>q) << 5);
  let c0 = start<T>(op);
  let c1 = start<T>(op + 16);
  let c2 = start<T>(oq);
  let c3 = start<T>(oq + 16);
  let wp = w + <usize>p * panel;
  let wq = w + <usize>q * panel;
  for (const end = x + ((<usize>up(k, 2)) << 1); x < end; x += 4, wp += 16, wq += 16) {
    const v = v128.load32_splat(x);
    c0 = mac(c0, v, v128.load8x8_s(wp));
    c1 = mac(c1, v, v128.load8x8_s(wp, 8));
    c2 = mac(c2, v, v128.load8x8_s(wq));
    c3 = mac(c3, v, v128.load8x8_s(wq, 8));
  }
  Results.storeRow<T>(
    y + <usize>p * 8 * sizeof<T>(),
    cols,
    c0,
    c1,
    c2,
    c3,
    scale + ((<usize>p) << 5),
    scale + ((<usize>q) << 5),
    lo,
    hi,
    shift,
  );
}
