// Tiles of the baseline class. i32x4.dot_i16x8_s multiplies eight pairs of i16 and adds neighbours, so k goes two
// at a time: x is widened to i16 once per call; w stays int8, two columns in each 16-bit lane, and is widened by shifts.
//
//   x panel, 4 rows of i16, 16 bytes a step      w panel, 8 columns of i8, 16 bytes a step
//   k 0,1 | r0: k0 k1 | r1: k0 k1 | r2 | r3 |    k 0,1 | k0: c0 c4, k1: c0 c4 | c1 c5 … | c2 c6 … | c3 c7 … |
//   k 2,3 | r0: k2 k3 | r1: k2 k3 | r2 | r3 |    k 2,3 | k2: c0 c4, k3: c0 c4 | c1 c5 … | c2 c6 … | c3 c7 … |
//
// The loops stay small and rolled: 8 sums + 2 w + 1 x fit V8's 15 vector registers, and unrolling spills. Shifts beat
// load8x8_s, 44 to 41 GMAC/s (Node 24, Zen 4).

import { zipHigh32, zipLow32 } from "../lanes/simd";
import { up } from "../lanes/whole";
import { Results, resultBytes, start } from "./epilogue";
import { multiplyAdd16 } from "./multiply-add";
import { STEP } from "./panels";
import { BESIDE, panelBytes } from "./sizes";

/** w[k][c], columns 0-3. */
function low(w: v128): v128 {
  return i16x8.shr_s(i16x8.shl(w, 8), 8);
}

/** w[k][c], columns 4-7. */
function high(w: v128): v128 {
  return i16x8.shr_s(w, 8);
}

/** One row of u8 → i16, k up to a multiple of 8 with zeros. */
export function packRow16(to: usize, x: usize, k: i32): void {
  const rest = to + ((<usize>k) << 1);
  for (const end = x + k; x < end; x += 8, to += 16) v128.store(to, v128.load8x8_u(x));
  v128.store(rest, i32x4.splat(0));
}

/** 128 · Σ_k x[k] of such a row, in every lane. */
export function sumRow16(x: usize, k: i32): v128 {
  const by = i16x8.splat(128);
  let sum = i32x4.splat(0);
  for (const end = x + ((<usize>k) << 1); x < end; x += 16) sum = multiplyAdd16(sum, v128.load(x), by);
  sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1));
  return i32x4.add(sum, i32x4.shuffle(sum, sum, 1, 0, 3, 2));
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

/** Four rows × 8 columns; row r goes to min(y + r·ldy, yLast): rows past the last repeat it. */
export function tileDot16(
  y: usize,
  ldy: usize,
  yLast: usize,
  cols: i32,
  x: usize,
  w: usize,
  k: i32,
  offset: usize,
  scale: usize,
  codes: usize,
): void {
  const o0 = start(offset, codes);
  const o1 = start(offset + 16, codes);
  let c00 = o0;
  let c10 = o0;
  let c20 = o0;
  let c30 = o0;
  let c01 = o1;
  let c11 = o1;
  let c21 = o1;
  let c31 = o1;
  for (const end = x + ((<usize>up(k, 2)) << 3); x < end; x += 16, w += 16) {
    const pair = v128.load(w);
    const w0 = low(pair);
    const w1 = high(pair);
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
  const y1 = min(y + ldy, yLast);
  const y2 = min(y1 + ldy, yLast);
  const y3 = min(y2 + ldy, yLast);
  Results.store(y, y1, cols, c00, c01, c10, c11, scale, codes);
  Results.store(y2, y3, cols, c20, c21, c30, c31, scale, codes);
}

/** One row of i16 × 16 columns: panels p and, while it is before `stop`, p + 1. */
export function rowDot16(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  n: i32,
  k: i32,
  p: i32,
  stop: i32,
  codes: usize,
): void {
  const q = min(p + 1, stop - 1);
  const panel = <usize>panelBytes(k);
  const cols = min(stop << 3, n) - (p << 3);
  const op = offset + ((<usize>p) << 5);
  const oq = offset + ((<usize>q) << 5);
  let c0 = start(op, codes);
  let c1 = start(op + 16, codes);
  let c2 = start(oq, codes);
  let c3 = start(oq + 16, codes);
  let wp = w + <usize>p * panel;
  let wq = w + <usize>q * panel;
  for (const end = x + ((<usize>up(k, 2)) << 1); x < end; x += 4, wp += 16, wq += 16) {
    const v = v128.load32_splat(x);
    let w = v128.load(wp);
    c0 = multiplyAdd16(c0, v, low(w));
    c1 = multiplyAdd16(c1, v, high(w));
    w = v128.load(wq);
    c2 = multiplyAdd16(c2, v, low(w));
    c3 = multiplyAdd16(c3, v, high(w));
  }
  Results.storeRow(
    y + ((<usize>p) << 3) * resultBytes(codes),
    cols,
    c0,
    c1,
    c2,
    c3,
    scale + ((<usize>p) << 5),
    scale + ((<usize>q) << 5),
    codes,
  );
}

/** Bytes of i16 x whose sums of products with an int8 fit 24 bits: 256 of them. */
const SPLIT: usize = 512;

/**
 * One row of i16 × 32 columns: panels p … p + 3, which lie beside each other; those not before `stop` are not stored. `sum` from
 * sumRow16.
 *
 * Takes panels of packRowWeightsInt8, whose lanes hold two columns: 256 · w4 + (w0 + 128). Products with whole lanes and
 * with their low bytes differ by 256 · Σ x·w4, so that of two columns only one is widened: 35 instead of 28 GMAC/s.
 */
export function rowPairs16(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  sum: v128,
  n: i32,
  k: i32,
  p: i32,
  stop: i32,
  codes: usize,
): void {
  const q = min(p + 1, stop - 1);
  const r = min(p + 2, stop - 1);
  const s = min(p + 3, stop - 1);
  const cols = min(stop << 3, n) - (p << 3);
  const op = offset + ((<usize>p) << 5);
  const oq = offset + ((<usize>q) << 5);
  const or_ = offset + ((<usize>r) << 5);
  const os = offset + ((<usize>s) << 5);
  let c0 = i32x4.sub(start(op, codes), sum);
  let c1 = start(op + 16, codes);
  let c2 = i32x4.sub(start(oq, codes), sum);
  let c3 = start(oq + 16, codes);
  let c4 = i32x4.sub(start(or_, codes), sum);
  let c5 = start(or_ + 16, codes);
  let c6 = i32x4.sub(start(os, codes), sum);
  let c7 = start(os + 16, codes);
  w += <usize>(p * panelBytes(k));
  // A constant would be built anew in each step; this one is not known to be one.
  const byte = i16x8.shr_u(i16x8.eq(sum, sum), 8);
  for (const last = x + ((<usize>up(k, 2)) << 1); x < last; ) {
    let b0 = c0;
    let b2 = c2;
    let b4 = c4;
    let b6 = c6;
    for (const end = min(last, x + SPLIT); x < end; x += 4, w += STEP * BESIDE) {
      const v = v128.load32_splat(x);
      let pair = v128.load(w);
      b0 = multiplyAdd16(b0, v, pair);
      c0 = multiplyAdd16(c0, v, v128.and(pair, byte));
      pair = v128.load(w, STEP);
      b2 = multiplyAdd16(b2, v, pair);
      c2 = multiplyAdd16(c2, v, v128.and(pair, byte));
      pair = v128.load(w, STEP * 2);
      b4 = multiplyAdd16(b4, v, pair);
      c4 = multiplyAdd16(c4, v, v128.and(pair, byte));
      pair = v128.load(w, STEP * 3);
      b6 = multiplyAdd16(b6, v, pair);
      c6 = multiplyAdd16(c6, v, v128.and(pair, byte));
    }
    c1 = i32x4.add(c1, i32x4.shr_s(i32x4.sub(b0, c0), 8));
    c3 = i32x4.add(c3, i32x4.shr_s(i32x4.sub(b2, c2), 8));
    c5 = i32x4.add(c5, i32x4.shr_s(i32x4.sub(b4, c4), 8));
    c7 = i32x4.add(c7, i32x4.shr_s(i32x4.sub(b6, c6), 8));
  }
  const size = resultBytes(codes);
  y += ((<usize>p) << 3) * size;
  const sp = scale + ((<usize>p) << 5);
  const sq = scale + ((<usize>q) << 5);
  Results.storeRow(y, cols, c0, c1, c2, c3, sp, sq, codes);
  if (cols <= 16) return;
  const sr = scale + ((<usize>r) << 5);
  const ss = scale + ((<usize>s) << 5);
  Results.storeRow(y + (size << 4), cols - 16, c4, c5, c6, c7, sr, ss, codes);
}
