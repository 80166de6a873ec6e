// Tiles of the relaxed class: i32x4.relaxed_dot_i8x16_i7x16_add_s adds four products to each i32 lane, so k goes
// four at a time. Weights are the first operand. The second, x, is u8, which only some engines read so (u8·s8,
// exact): the host asks before it uses this class. A class for engines that read it signed (s8·s8) would differ in
// the loads of x alone, by an xor with 0x80 while packing.
//
//   x panel, 6 rows, 24 bytes a step                   w panel, 8 columns, 32 bytes a step
//   k 0-3 | r0: k0 k1 k2 k3 | r1 | … | r5 |            k 0-3 | c0: k0 k1 k2 k3 | c1 | … | c7 |
//   k 4-7 | r0: k4 k5 k6 k7 | r1 | … | r5 |            k 4-7 | c0: k4 k5 k6 k7 | c1 | … | c7 |
//
// The dot adds into its sum, so a sum is a chain of latency 4-5: twelve (6×8) or eight (1×32) of them hide it, and
// 12 + 2 w + 1 x fit V8's 15 vector registers. Reading six rows where they lie saves the packing but needs six pointers:
// 34 instead of 42 GMAC/s (512³, Node 24, Zen 4 without AVX-VNNI). Past k, bytes of x meet zeros of w.

import { up, zipHigh32, zipLow32 } from "../simd";
import { Results, start } from "./epilogue-int8";
import { BESIDE, panelBytes, STEP } from "./panels-int8";

/** c += w · x, four by four. */
function mac(c: v128, w: v128, x: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(w, x, c);
}

/** Six rows, `step` bytes apart and none past `last`, → a panel, k up to a multiple of 16. Transposes of groups. */
export function packTile8(to: usize, x0: usize, step: usize, last: usize, k: i32): void {
  let x1 = min(x0 + step, last);
  let x2 = min(x1 + step, last);
  let x3 = min(x2 + step, last);
  let x4 = min(x3 + step, last);
  let x5 = min(x4 + step, last);
  for (const end = x0 + k; x0 < end; to += 96) {
    const r0 = v128.load(x0);
    const r1 = v128.load(x1);
    const r2 = v128.load(x2);
    const r3 = v128.load(x3);
    const r4 = v128.load(x4);
    const r5 = v128.load(x5);
    const low01 = zipLow32(r0, r1);
    const low23 = zipLow32(r2, r3);
    const low45 = zipLow32(r4, r5);
    const high01 = zipHigh32(r0, r1);
    const high23 = zipHigh32(r2, r3);
    const high45 = zipHigh32(r4, r5);
    v128.store(to, i64x2.shuffle(low01, low23, 0, 2));
    v128.store64_lane(to, low45, 0, 16);
    v128.store(to, i64x2.shuffle(low01, low23, 1, 3), 24);
    v128.store64_lane(to, low45, 1, 40);
    v128.store(to, i64x2.shuffle(high01, high23, 0, 2), 48);
    v128.store64_lane(to, high45, 0, 64);
    v128.store(to, i64x2.shuffle(high01, high23, 1, 3), 72);
    v128.store64_lane(to, high45, 1, 88);
    x0 += 16;
    x1 += 16;
    x2 += 16;
    x3 += 16;
    x4 += 16;
    x5 += 16;
  }
}

/** Six rows × 8 columns; row r goes to min(y + r·ldy, yLast): rows past the last repeat it. */
export function tileDot8<T>(
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
  const o0 = start<T>(offset);
  const o1 = start<T>(offset + 16);
  let c00 = o0;
  let c01 = o1;
  let c10 = o0;
  let c11 = o1;
  let c20 = o0;
  let c21 = o1;
  let c30 = o0;
  let c31 = o1;
  let c40 = o0;
  let c41 = o1;
  let c50 = o0;
  let c51 = o1;
  for (const end = w + ((<usize>up(k, 4)) << 3); w < end; x += 24, w += 32) {
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    let v = v128.load32_splat(x);
    c00 = mac(c00, w0, v);
    c01 = mac(c01, w1, v);
    v = v128.load32_splat(x, 4);
    c10 = mac(c10, w0, v);
    c11 = mac(c11, w1, v);
    v = v128.load32_splat(x, 8);
    c20 = mac(c20, w0, v);
    c21 = mac(c21, w1, v);
    v = v128.load32_splat(x, 12);
    c30 = mac(c30, w0, v);
    c31 = mac(c31, w1, v);
    v = v128.load32_splat(x, 16);
    c40 = mac(c40, w0, v);
    c41 = mac(c41, w1, v);
    v = v128.load32_splat(x, 20);
    c50 = mac(c50, w0, v);
    c51 = mac(c51, w1, v);
  }
  const y1 = min(y + ldy, yLast);
  const y2 = min(y1 + ldy, yLast);
  const y3 = min(y2 + ldy, yLast);
  const y4 = min(y3 + ldy, yLast);
  const y5 = min(y4 + ldy, yLast);
  Results.store<T>(y, y1, cols, c00, c01, c10, c11, scale, codes);
  Results.store<T>(y2, y3, cols, c20, c21, c30, c31, scale, codes);
  Results.store<T>(y4, y5, cols, c40, c41, c50, c51, scale, codes);
}

/** One row × 32 columns: panels p … p + 3, which may lie beside each other; those not before `stop` repeat the last one. */
export function rowDot8<T>(
  y: usize,
  x: usize,
  w: usize,
  offset: usize,
  scale: usize,
  n: i32,
  k: i32,
  p: i32,
  stop: i32,
  beside: bool,
  codes: usize,
): void {
  const q = min(p + 1, stop - 1);
  const r = min(p + 2, stop - 1);
  const s = min(p + 3, stop - 1);
  const panel = panelBytes(k);
  const cols = min(stop << 3, n) - (p << 3);
  const op = offset + ((<usize>p) << 5);
  const oq = offset + ((<usize>q) << 5);
  const or_ = offset + ((<usize>r) << 5);
  const os = offset + ((<usize>s) << 5);
  let c0 = start<T>(op);
  let c1 = start<T>(op + 16);
  let c2 = start<T>(oq);
  let c3 = start<T>(oq + 16);
  let c4 = start<T>(or_);
  let c5 = start<T>(or_ + 16);
  let c6 = start<T>(os);
  let c7 = start<T>(os + 16);
  let wp = w + <usize>p * panel;
  let wq = beside ? wp + STEP : w + <usize>q * panel;
  let wr = beside ? wq + STEP : w + <usize>r * panel;
  let ws = beside ? wr + STEP : w + <usize>s * panel;
  const step = beside ? STEP * BESIDE : STEP;
  for (const end = x + up(k, 4); x < end; x += 4, wp += step, wq += step, wr += step, ws += step) {
    const v = v128.load32_splat(x);
    c0 = mac(c0, v128.load(wp), v);
    c1 = mac(c1, v128.load(wp, 16), v);
    c2 = mac(c2, v128.load(wq), v);
    c3 = mac(c3, v128.load(wq, 16), v);
    c4 = mac(c4, v128.load(wr), v);
    c5 = mac(c5, v128.load(wr, 16), v);
    c6 = mac(c6, v128.load(ws), v);
    c7 = mac(c7, v128.load(ws, 16), v);
  }
  y += <usize>p * 8 * sizeof<T>();
  Results.storeRow<T>(y, cols, c0, c1, c2, c3, scale + ((<usize>p) << 5), scale + ((<usize>q) << 5), codes);
  if (cols > 16)
    Results.storeRow<T>(
      y + 16 * sizeof<T>(),
      cols - 16,
      c4,
      c5,
      c6,
      c7,
      scale + ((<usize>r) << 5),
      scale + ((<usize>s) << 5),
      codes,
    );
}
