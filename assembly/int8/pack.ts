// Weights into panels, once per model (once per step when training).
//
//   panel of 8 columns, k in groups of G (4 relaxed, else 2), zeros from k to up(k, 4) and past n
//   relaxed   k 0-3 | c0: k0 k1 k2 k3 | c1: k0 k1 k2 k3 | … | c7: k0 k1 k2 k3 |     32 bytes
//   extmul    k 0,1 | c0: k0 k1 | c1: k0 k1 | … | c7: k0 k1 |     16 bytes
//   baseline  k 0,1 | k0: c0 c4, k1: c0 c4 | k0: c1 c5, k1: c1 c5 | … | k0: c3 c7, k1: c3 c7 |     16 bytes
//   panels follow one another, up(k, 4) · 8 bytes each; or four lie beside each other, step by step, and fours follow
//   k counts the taps and channels of each kernel row up to a multiple of G, with zeros

import { zipHigh16, zipHigh32, zipLow8, zipLow16, zipLow32 } from "../lanes/simd";
import { up } from "../lanes/whole";
import { BYTES, GROUP, kernelRowDepth, STEP, shiftOfCodes } from "./panels";
import { BESIDE, panelBytes } from "./sizes";

/**
 * offset[c] = (bias ? bias[c] : 0) + z · Σ_k w[k][c], and w into panels
 *
 * z is −xZero, at most 0, to which comes what this class makes of codes; or 1: the sums alone, for dynamic kernels.
 * k = tap · channels + channel, from the next multiple of G on in each kernel row.
 * Element (c, row, tap, channel) is the i8 at w[c·strideN + row·strideRow + tap·strideTap + channel·strideC].
 * offset i32 [up(n, 8)], unspecified past n. dst up(k, 4) · up(n, 8 · beside) bytes, of which `beside` panels lie beside each
 * other: 1, or BESIDE for gemvInt8. bias i32 [n], or 0.
 * Columns contiguous in k (a transposed B) and rows contiguous in c (a plain B) are shuffled in registers;
 * others (O I H W kernels) go byte by byte.
 */
export function packWeightsInt8(
  dst: usize,
  offset: usize,
  w: usize,
  bias: usize,
  z: i32,
  n: i32,
  rows: i32,
  taps: i32,
  channels: i32,
  strideN: i32,
  strideRow: i32,
  strideTap: i32,
  strideC: i32,
  beside: i32,
): void {
  const k = taps * channels;
  const depth = kernelRowDepth(k);
  const panel = <usize>panelBytes(rows * depth);
  const dense = rows == 1 && (taps == 1 || strideTap == channels * strideC);
  const step = <usize>(beside * STEP);
  const width = beside << 3;
  const by = z > 0 ? z : z + shiftOfCodes();
  memory.fill(dst, 0, panel * <usize>(up(n, width) >> 3));
  for (let c = 0; c < n; c += 8, offset += 32) {
    const first = dst + panel * <usize>((c / width) * beside) + <usize>(((c % width) >> 3) * STEP);
    const from = w + <isize>c * strideN;
    let done = 0;
    if (dense && n - c >= 8) {
      if (strideC == 1) done = packColumns(first, from, strideN, k, step);
      else if (strideN == 1) done = packRows(first, from, strideC, k, step);
    }
    const rest = first + <usize>(done / GROUP) * step;
    const cols = min(8, n - c);
    if (done > 0) packBytes(rest, from + <isize>done * strideC, cols, 1, k - done, strideN, 0, strideC, step);
    else
      for (let r = 0, to = first; r < rows; r++, to += <usize>(depth / GROUP) * step)
        packBytes(to, from + <isize>r * strideRow, cols, taps, channels, strideN, strideTap, strideC, step);
    sumColumns(offset, first, first + panel * beside, step, by);
    if (bias) {
      const b = bias + ((<usize>c) << 2);
      v128.store(offset, i32x4.add(v128.load(offset), v128.load(b)));
      v128.store(offset, i32x4.add(v128.load(offset, 16), v128.load(b, 16)), 16);
    }
  }
}

/**
 * Panels that packWeightsInt8 laid beside each other as gemvInt8 takes them, in place: in baseline, columns 0-3 get 128 added,
 * which makes them unsigned and what a 16-bit lane holds 256 · w[k][c + 4] + (w[k][c] + 128).
 */
export function packRowWeightsInt8(w: usize, n: i32, k: i32): void {
  if (BYTES) return;
  const flip = i16x8.splat(0x80);
  for (const end = w + <usize>(panelBytes(k) * (up(n, BESIDE << 3) >> 3)); w < end; w += 16) {
    v128.store(w, v128.xor(v128.load(w), flip));
  }
}

/** Eight columns contiguous in k, eight k at a time: a transpose of groups. Returns the k it did. */
function packColumns(to: usize, w: usize, strideN: usize, k: i32, step: usize): i32 {
  const done = k & ~7;
  for (const end = w + done; w < end; w += 8) {
    let c = w;
    const c0 = v128.load64_zero(c);
    const c1 = v128.load64_zero((c += strideN));
    const c2 = v128.load64_zero((c += strideN));
    const c3 = v128.load64_zero((c += strideN));
    const c4 = v128.load64_zero((c += strideN));
    const c5 = v128.load64_zero((c += strideN));
    const c6 = v128.load64_zero((c += strideN));
    const c7 = v128.load64_zero((c += strideN));
    if (GROUP == 4) {
      const a = zipLow32(c0, c1);
      const b = zipLow32(c2, c3);
      const d = zipLow32(c4, c5);
      const e = zipLow32(c6, c7);
      v128.store(to, i64x2.shuffle(a, b, 0, 2));
      v128.store(to, i64x2.shuffle(d, e, 0, 2), 16);
      to += step;
      v128.store(to, i64x2.shuffle(a, b, 1, 3));
      v128.store(to, i64x2.shuffle(d, e, 1, 3), 16);
      to += step;
    } else {
      const a = BYTES ? zipLow16(c0, c1) : zipLow8(c0, c4);
      const b = BYTES ? zipLow16(c2, c3) : zipLow8(c1, c5);
      const d = BYTES ? zipLow16(c4, c5) : zipLow8(c2, c6);
      const e = BYTES ? zipLow16(c6, c7) : zipLow8(c3, c7);
      const ab = zipLow32(a, b);
      const de = zipLow32(d, e);
      const AB = zipHigh32(a, b);
      const DE = zipHigh32(d, e);
      v128.store(to, i64x2.shuffle(ab, de, 0, 2));
      to += step;
      v128.store(to, i64x2.shuffle(ab, de, 1, 3));
      to += step;
      v128.store(to, i64x2.shuffle(AB, DE, 0, 2));
      to += step;
      v128.store(to, i64x2.shuffle(AB, DE, 1, 3));
      to += step;
    }
  }
  return done;
}

/** Rows of eight columns, four k at a time: bytes zipped. Returns the k it did. */
function packRows(to: usize, w: usize, strideC: usize, k: i32, step: usize): i32 {
  const done = k & ~3;
  for (let i = 0; i < done; i += 4, w += strideC << 2) {
    const r0 = v128.load64_zero(w);
    const r1 = v128.load64_zero(w + strideC);
    const r2 = v128.load64_zero(w + strideC * 2);
    const r3 = v128.load64_zero(w + strideC * 3);
    if (GROUP == 4) {
      const r01 = zipLow8(r0, r1);
      const r23 = zipLow8(r2, r3);
      v128.store(to, zipLow16(r01, r23));
      v128.store(to, zipHigh16(r01, r23), 16);
    } else {
      v128.store(to, pairRows(r0, r1));
      to += step;
      v128.store(to, pairRows(r2, r3));
    }
    to += step;
  }
  return done;
}

/** Two k of eight columns. */
function pairRows(a: v128, b: v128): v128 {
  if (BYTES) return zipLow8(a, b);
  return i8x16.shuffle(a, b, 0, 4, 16, 20, 1, 5, 17, 21, 2, 6, 18, 22, 3, 7, 19, 23);
}

/** Any strides, byte by byte. */
function packBytes(
  to: usize,
  w: usize,
  cols: i32,
  taps: i32,
  channels: i32,
  strideN: isize,
  strideTap: isize,
  strideC: isize,
  step: usize,
): void {
  for (let c = 0; c < cols; c++, w += strideN) {
    const column = to + <usize>(BYTES ? c * GROUP : ((c & 3) << 2) + (c >> 2));
    let k = 0;
    for (let t = 0; t < taps; t++) {
      let from = w + <isize>t * strideTap;
      for (let i = 0; i < channels; i++, k++, from += strideC) {
        const at = <usize>(k / GROUP) * step + <usize>((k & (GROUP - 1)) * (BYTES ? 1 : 2));
        store<i8>(column + at, load<i8>(from));
      }
    }
  }
}

/** offset[c] = z · Σ_k w[k][c] over a packed panel, whose steps end before `end`. */
function sumColumns(offset: usize, w: usize, end: usize, step: usize, z: i32): void {
  let s0 = i32x4.splat(0);
  let s1 = s0;
  for (; w < end; w += step) {
    const v = v128.load(w);
    if (GROUP == 4) {
      s0 = i32x4.add(s0, i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v)));
      const high = i16x8.extadd_pairwise_i8x16_s(v128.load(w, 16));
      s1 = i32x4.add(s1, i32x4.extadd_pairwise_i16x8_s(high));
    } else if (BYTES) {
      const pairs = i16x8.extadd_pairwise_i8x16_s(v);
      s0 = i32x4.add(s0, i32x4.extend_low_i16x8_s(pairs));
      s1 = i32x4.add(s1, i32x4.extend_high_i16x8_s(pairs));
    } else {
      s0 = i32x4.add(s0, i32x4.extadd_pairwise_i16x8_s(i16x8.shr_s(i16x8.shl(v, 8), 8)));
      s1 = i32x4.add(s1, i32x4.extadd_pairwise_i16x8_s(i16x8.shr_s(v, 8)));
    }
  }
  v128.store(offset, i32x4.mul(s0, i32x4.splat(z)));
  v128.store(offset, i32x4.mul(s1, i32x4.splat(z)), 16);
}
