// Products with weights of 4 or 8 bits in blocks, and rows of them, unpacked where they are needed: x stays float. Bytes are as files have
// them: the codes of a block one after the other, of 4 bits the low half of a byte first.

import { rowAt } from "../lanes/indices";
import { storeWords } from "../lanes/simd";
import { paddedDepth } from "./sizes";

/** Sixteen codes. */
function codes(at: usize, bits: i32): v128 {
  if (bits == 8) return v128.load(at);
  const v = v128.load64_zero(at);
  const low = v128.and(v, i8x16.splat(15));
  const high = i8x16.shr_u(v, 4);
  return i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** Four of sixteen codes as f32, less a zero point. */
function part0(v: v128, zero: v128): v128 {
  return f32x4.sub(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v))), zero);
}
function part1(v: v128, zero: v128): v128 {
  return f32x4.sub(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(i16x8.extend_low_i8x16_u(v))), zero);
}
function part2(v: v128, zero: v128): v128 {
  return f32x4.sub(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_high_i8x16_u(v))), zero);
}
function part3(v: v128, zero: v128): v128 {
  return f32x4.sub(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(i16x8.extend_high_i8x16_u(v))), zero);
}

/** Σ of four. */
function sumOf(v: v128): f32 {
  const pairs = f32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** t + w · x of sixteen. */
function times(t: v128, w0: v128, w1: v128, w2: v128, w3: v128, x: usize): v128 {
  t = f32x4.add(t, f32x4.mul(w0, v128.load(x)));
  t = f32x4.add(t, f32x4.mul(w1, v128.load(x, 16)));
  t = f32x4.add(t, f32x4.mul(w2, v128.load(x, 32)));
  return f32x4.add(t, f32x4.mul(w3, v128.load(x, 48)));
}

/**
 * y[r][c] = Σ_g scale[c][g] · Σ_k (q[c][g][k] − zero[c][g]) · x[r][g·size + k] + bias[c]
 *
 * y f32 [rows][n], x f32 [rows][k]; w: n · ⌈k / size⌉ blocks of size · bits / 8 bytes; scale and zero f32, one a block, zero 0 where all are `otherwise`; bias f32 [n] or 0.
 * Size is a multiple of 16. scratch: four rows of x, each of whole blocks. Each lane sums every fourth product of a block, then blocks are
 * added in their order. Range: columns. y overlaps nothing.
 */
export function linearBits(
  y: usize,
  x: usize,
  w: usize,
  scale: usize,
  zero: usize,
  otherwise: f32,
  bias: usize,
  scratch: usize,
  rows: i32,
  n: i32,
  k: i32,
  size: i32,
  bits: i32,
  begin: i32,
  end: i32,
): void {
  const blocks = (k + size - 1) / size;
  const row = (<usize>paddedDepth(k, size)) << 2;
  const bytes = <usize>((size * bits) >> 3);
  const step = <usize>(bits << 1);
  for (let r = 0; r < rows; r += 4) {
    const count = min(4, rows - r);
    for (let i = 0; i < 4; i++) {
      const to = scratch + <usize>i * row;
      memory.copy(to, x + ((<usize>(r + min(i, count - 1)) * <usize>k) << 2), (<usize>k) << 2);
      memory.fill(to + ((<usize>k) << 2), 0, row - ((<usize>k) << 2));
    }
    for (let c = begin; c < end; c++) {
      let t0 = f32x4.splat(0);
      let t1 = t0;
      let t2 = t0;
      let t3 = t0;
      let from = w + <usize>c * <usize>blocks * bytes;
      let at = scratch;
      for (let g = 0; g < blocks; g++) {
        const own = (<usize>(c * blocks + g)) << 2;
        const z = zero ? v128.load32_splat(zero + own) : f32x4.splat(otherwise);
        const s = v128.load32_splat(scale + own);
        let b0 = f32x4.splat(0);
        let b1 = b0;
        let b2 = b0;
        let b3 = b0;
        for (const last = from + bytes; from < last; from += step, at += 64) {
          const v = codes(from, bits);
          const w0 = part0(v, z);
          const w1 = part1(v, z);
          const w2 = part2(v, z);
          const w3 = part3(v, z);
          b0 = times(b0, w0, w1, w2, w3, at);
          if (count > 1) {
            b1 = times(b1, w0, w1, w2, w3, at + row);
            b2 = times(b2, w0, w1, w2, w3, at + row * 2);
            b3 = times(b3, w0, w1, w2, w3, at + row * 3);
          }
        }
        t0 = f32x4.add(t0, f32x4.mul(b0, s));
        t1 = f32x4.add(t1, f32x4.mul(b1, s));
        t2 = f32x4.add(t2, f32x4.mul(b2, s));
        t3 = f32x4.add(t3, f32x4.mul(b3, s));
      }
      const add = bias ? load<f32>(bias + ((<usize>c) << 2)) : 0;
      const to = y + ((<usize>r * <usize>n + <usize>c) << 2);
      const next = (<usize>n) << 2;
      store<f32>(to, sumOf(t0) + add);
      if (count > 1) store<f32>(to + next, sumOf(t1) + add);
      if (count > 2) store<f32>(to + next * 2, sumOf(t2) + add);
      if (count > 3) store<f32>(to + next * 3, sumOf(t3) + add);
    }
  }
}

/**
 * y[i] = row at[i] of the table: (q − zero) · scale. Blocks of a row as linearBits has them, k f32 each. at i32: a negative index counts from
 * the end, one outside picks the first or the last row. Range: rows of y.
 */
export function gatherBits(
  y: usize,
  w: usize,
  scale: usize,
  zero: usize,
  otherwise: f32,
  at: usize,
  n: i32,
  k: i32,
  size: i32,
  bits: i32,
  begin: i32,
  end: i32,
): void {
  const blocks = (k + size - 1) / size;
  const bytes = <usize>((size * bits) >> 3);
  for (let i = begin; i < end; i++) {
    const r = rowAt(load<i32>(at + ((<usize>i) << 2)), n);
    const from = w + <usize>r * <usize>blocks * bytes;
    const to = y + ((<usize>i * <usize>k) << 2);
    for (let e = 0; e < k; e += 4) {
      const g = e / size;
      const own = (<usize>(r * blocks + g)) << 2;
      const z = zero ? v128.load32_splat(zero + own) : f32x4.splat(otherwise);
      const s = v128.load32_splat(scale + own);
      // Four codes lie in a block.
      const v = bits == 8 ? v128.load32_zero(from + <usize>e) : quarter(from + <usize>(e >> 1));
      storeWords(to + ((<usize>e) << 2), f32x4.mul(part0(v, z), s), k - e);
    }
  }
}

/** Four codes of 4 bits as bytes. */
function quarter(at: usize): v128 {
  const v = i16x8.splat(load<i16>(at));
  const low = v128.and(v, i8x16.splat(15));
  const high = i8x16.shr_u(v, 4);
  return i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
