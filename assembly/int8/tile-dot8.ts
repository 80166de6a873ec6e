// Tiles of the classes that multiply bytes. Relaxed: i32x4.relaxed_dot_i8x16_i7x16_add_s adds four products to each i32
// lane, so k goes four at a time. Extmul, for ARM without a dot product of bytes: products of 16 bits (smull, smull2), of
// which neighbours are added to i32 lanes (sadalp), so k goes two at a time.
//
//   x panel, 6 rows, 6·G bytes a step                  w panel, 8 columns, 8·G bytes a step
//   k 0-3 | r0: k0 k1 k2 k3 | r1 | … | r5 |            k 0-3 | c0: k0 k1 k2 k3 | c1 | … | c7 |     G = 4, relaxed
//   k 0,1 | r0: k0 k1 | r1 | … | r5 |                  k 0,1 | c0: k0 k1 | c1 | … | c7 |           G = 2, extmul
//
// Weights are signed. Whether the relaxed dot product reads x as signed is the engine's choice, and the host asks: packing
// turns the top bit of codes where it does, as extmul always has it (shiftOfCodes).
//
// The dot adds into its sum, so a sum is a chain of latency 4-5: twelve (6×8) or eight (1×32) of them hide it, and
// 12 + 2 w + 1 x fit V8's 15 vector registers. Reading six rows where they lie saves the packing but needs six pointers:
// 34 instead of 42 GMAC/s (512³, Node 24, Zen 4 without AVX-VNNI). Past k, bytes of x meet zeros of w.

import { zipHigh16, zipHigh32, zipLow16, zipLow32 } from "../lanes/simd";
import { up } from "../lanes/whole";
import { Results, resultBytes, start } from "./epilogue";
import { multiplyAddHigh8, multiplyAddLow8 } from "./multiply-add";
import { GROUP, RELAXED, STEP, shiftOfCodes } from "./panels";
import { BESIDE, panelBytes } from "./sizes";

/** Columns 4-7 of a step at w, whose first 16 bytes are `first`. */
function second(w: usize, first: v128): v128 {
  return RELAXED ? v128.load(w, 16) : first;
}

/** A row of codes as this class multiplies them, k up to a multiple of 16: where it lies, or shifted, in scratch. */
export function packRow8(scratch: usize, x: usize, k: i32): usize {
  const code = shiftOfCodes();
  if (code == 0) return x;
  const shift = i8x16.splat(<i8>code);
  for (let to = scratch, end = x + k; x < end; x += 16, to += 16)
    v128.store(to, v128.xor(v128.load(x), shift));
  return scratch;
}

/** Six rows, `step` bytes apart and none past `last`, → a panel, k up to a multiple of 16. Transposes of groups. */
export function packTile8(to: usize, x0: usize, step: usize, last: usize, k: i32): void {
  const shift = i8x16.splat(<i8>shiftOfCodes());
  let x1 = min(x0 + step, last);
  let x2 = min(x1 + step, last);
  let x3 = min(x2 + step, last);
  let x4 = min(x3 + step, last);
  let x5 = min(x4 + step, last);
  for (const end = x0 + k; x0 < end; to += 96) {
    const r0 = v128.xor(v128.load(x0), shift);
    const r1 = v128.xor(v128.load(x1), shift);
    const r2 = v128.xor(v128.load(x2), shift);
    const r3 = v128.xor(v128.load(x3), shift);
    const r4 = v128.xor(v128.load(x4), shift);
    const r5 = v128.xor(v128.load(x5), shift);
    if (RELAXED) {
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
    } else {
      storePairs(to, zipLow16(r0, r1), zipLow16(r2, r3), zipLow16(r4, r5));
      storePairs(to + 48, zipHigh16(r0, r1), zipHigh16(r2, r3), zipHigh16(r4, r5));
    }
    x0 += 16;
    x1 += 16;
    x2 += 16;
    x3 += 16;
    x4 += 16;
    x5 += 16;
  }
}

/** Four steps of two bytes of six rows, two rows in each of the operands. */
function storePairs(to: usize, r01: v128, r23: v128, r45: v128): void {
  const even = zipLow32(r01, r23);
  const odd = zipHigh32(r01, r23);
  v128.store64_lane(to, even, 0);
  v128.store32_lane(to, r45, 0, 8);
  v128.store64_lane(to, even, 1, 12);
  v128.store32_lane(to, r45, 1, 20);
  v128.store64_lane(to, odd, 0, 24);
  v128.store32_lane(to, r45, 2, 32);
  v128.store64_lane(to, odd, 1, 36);
  v128.store32_lane(to, r45, 3, 44);
}

/** Six rows × 8 columns; row r goes to min(y + r·ldy, yLast): rows past the last repeat it. */
export function tileDot8(
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
  for (const end = w + ((<usize>up(k, GROUP)) << 3); w < end; x += GROUP * 6, w += STEP) {
    const w0 = v128.load(w);
    const w1 = second(w, w0);
    let v = RELAXED ? v128.load32_splat(x) : v128.load16_splat(x);
    c00 = multiplyAddLow8(c00, w0, v);
    c01 = multiplyAddHigh8(c01, w1, v);
    v = RELAXED ? v128.load32_splat(x, 4) : v128.load16_splat(x, 2);
    c10 = multiplyAddLow8(c10, w0, v);
    c11 = multiplyAddHigh8(c11, w1, v);
    v = RELAXED ? v128.load32_splat(x, 8) : v128.load16_splat(x, 4);
    c20 = multiplyAddLow8(c20, w0, v);
    c21 = multiplyAddHigh8(c21, w1, v);
    v = RELAXED ? v128.load32_splat(x, 12) : v128.load16_splat(x, 6);
    c30 = multiplyAddLow8(c30, w0, v);
    c31 = multiplyAddHigh8(c31, w1, v);
    v = RELAXED ? v128.load32_splat(x, 16) : v128.load16_splat(x, 8);
    c40 = multiplyAddLow8(c40, w0, v);
    c41 = multiplyAddHigh8(c41, w1, v);
    v = RELAXED ? v128.load32_splat(x, 20) : v128.load16_splat(x, 10);
    c50 = multiplyAddLow8(c50, w0, v);
    c51 = multiplyAddHigh8(c51, w1, v);
  }
  const y1 = min(y + ldy, yLast);
  const y2 = min(y1 + ldy, yLast);
  const y3 = min(y2 + ldy, yLast);
  const y4 = min(y3 + ldy, yLast);
  const y5 = min(y4 + ldy, yLast);
  Results.store(y, y1, cols, c00, c01, c10, c11, scale, codes);
  Results.store(y2, y3, cols, c20, c21, c30, c31, scale, codes);
  Results.store(y4, y5, cols, c40, c41, c50, c51, scale, codes);
}

/**
 * One row, as packRow8 gives it, × 32 columns: panels p … p + 3, which may lie beside each other; those not before `stop`
 * repeat the last one.
 */
export function rowDot8(
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
  const panel = <usize>panelBytes(k);
  const cols = min(stop << 3, n) - (p << 3);
  const op = offset + ((<usize>p) << 5);
  const oq = offset + ((<usize>q) << 5);
  const or_ = offset + ((<usize>r) << 5);
  const os = offset + ((<usize>s) << 5);
  let c0 = start(op, codes);
  let c1 = start(op + 16, codes);
  let c2 = start(oq, codes);
  let c3 = start(oq + 16, codes);
  let c4 = start(or_, codes);
  let c5 = start(or_ + 16, codes);
  let c6 = start(os, codes);
  let c7 = start(os + 16, codes);
  let wp = w + <usize>p * panel;
  let wq = beside ? wp + STEP : w + <usize>q * panel;
  let wr = beside ? wq + STEP : w + <usize>r * panel;
  let ws = beside ? wr + STEP : w + <usize>s * panel;
  const step = beside ? STEP * BESIDE : STEP;
  for (const end = x + up(k, GROUP); x < end; x += GROUP, wp += step, wq += step, wr += step, ws += step) {
    const v = RELAXED ? v128.load32_splat(x) : v128.load16_splat(x);
    let w0 = v128.load(wp);
    c0 = multiplyAddLow8(c0, w0, v);
    c1 = multiplyAddHigh8(c1, second(wp, w0), v);
    w0 = v128.load(wq);
    c2 = multiplyAddLow8(c2, w0, v);
    c3 = multiplyAddHigh8(c3, second(wq, w0), v);
    w0 = v128.load(wr);
    c4 = multiplyAddLow8(c4, w0, v);
    c5 = multiplyAddHigh8(c5, second(wr, w0), v);
    w0 = v128.load(ws);
    c6 = multiplyAddLow8(c6, w0, v);
    c7 = multiplyAddHigh8(c7, second(ws, w0), v);
  }
  const size = resultBytes(codes);
  y += ((<usize>p) << 3) * size;
  Results.storeRow(y, cols, c0, c1, c2, c3, scale + ((<usize>p) << 5), scale + ((<usize>q) << 5), codes);
  if (cols > 16)
    Results.storeRow(
      y + (size << 4),
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
