// 4-bit weights in groups of 32 into panels, once per model.
//
//   panel of 16 columns, group after group, 272 bytes each, or 304 with offsets
//   scales   | s0 … s15 |                                 16 bytes
//   offsets  | t0 … t15 |                                 16 × i16, where there are any
//   codes    256 bytes
//
// Products of 16 bits:
//   block b  | chunk 0 | chunk 1 | chunk 2 | chunk 3 |    columns 4b … 4b + 3, b = 0 … 3
//   chunk c  | column 4b: 4 bytes | 4b + 1 | 4b + 2 | 4b + 3 |
//   byte j   low nibble k = 8c + j, high nibble k = 8c + 4 + j, both q + 8, but the high nibble of odd j is q in two's complement
//
// The last makes lanes of 16 bits signed numbers, 4096 · q5 + 256 · n1 + 16 · n4 + n0 (wide.ts).
//
// Products of bytes (relaxed):
//   step i   | columns 0 … 3, 4 … 7: 4 × 4 bytes | columns 8 … 11, 12 … 15: 4 × 4 bytes |    i = 0 … 7
//   byte j   k = 4i + j: low nibble column c, high nibble column c + 4, both q + 8

import { RELAXED } from "../int8/panels";
import { COLUMNS, GROUP_SIZE, groupBytes, MOST_OFFSET, MOST_SUM, segmentDepth } from "./sizes";

/**
 * q i8 [n][k], s i8 [n][k / size] and t i32 [n][k / size] or 0 into panels, and colsum[segment][c] = Σ_k s · q − t. Size is a
 * multiple of 32.
 *
 * dst packedInt4Bytes, colsum i32 [segments][columns]: these are n rows of some more, from a multiple of 16 on. Returns 0; 1 where a
 * code is not in −8..7; 2 where an offset is beyond MOST_OFFSET; 4 where a segment's Σ |s · q − t| is above MOST_SUM; or their sum.
 */
export function packInt4(
  dst: usize,
  colsum: usize,
  q: usize,
  s: usize,
  t: usize,
  n: i32,
  k: i32,
  size: i32,
  columns: i32,
): i32 {
  const bytes = groupBytes(t ? 1 : 0);
  const groups = k / GROUP_SIZE;
  const panels = (n + COLUMNS - 1) / COLUMNS;
  const codes: usize = t ? 48 : 16;
  const perScale = size / GROUP_SIZE;
  const scales = k / size;
  const segment = segmentDepth(k) / GROUP_SIZE;
  memory.fill(dst, 0, <usize>panels * groups * bytes);
  const eight = i8x16.splat(8);
  const flip = i16x8.splat(-32768);
  // Columns past n have codes of 0 as well. Relaxed has them all at first: codes are flipped into them.
  const blank = RELAXED ? panels : n % COLUMNS ? 1 : 0;
  const zero = RELAXED ? i8x16.splat(<i8>0x88) : v128.xor(i8x16.splat(<i8>0x88), flip);
  for (
    let g = blank * groups, to = dst + <usize>(panels - blank) * groups * bytes + codes;
    g > 0;
    g--, to += bytes
  )
    for (let i = 0; i < 256; i += 16) v128.store(to + i, zero);
  let fault = 0;
  let beyond = i8x16.splat(0);
  for (let c = 0; c < n; c++) {
    let from = q + <usize>c * k;
    let to = dst + <usize>(c / COLUMNS) * groups * bytes;
    const lane = c % COLUMNS;
    const at = codes + <usize>((RELAXED ? (lane >> 3) << 4 : (lane >> 2) << 6) + ((lane & 3) << 2));
    let sum = 0;
    let most: i64 = 0;
    for (let g = 0; g < groups; g++, from += GROUP_SIZE, to += bytes) {
      const scale = <i32>load<i8>(s + <usize>(c * scales + g / perScale));
      const offset = t ? load<i32>(t + ((<usize>(c * scales + g / perScale)) << 2)) : 0;
      if (offset > MOST_OFFSET || offset < -MOST_OFFSET) fault |= 2;
      store<i8>(to + lane, <i8>scale);
      if (t) store<i16>(to + 16 + ((<usize>lane) << 1), <i16>offset);
      const by = i16x8.splat(<i16>scale);
      const less = i16x8.splat(<i16>offset);
      let sums = i32x4.splat(0);
      let sizes = sums;
      for (let half = 0; half < 2; half++) {
        const v = v128.load(from + (half << 4));
        for (let part = 0; part < 2; part++) {
          const wide = part ? i16x8.extend_high_i8x16_s(v) : i16x8.extend_low_i8x16_s(v);
          const w = i16x8.sub(i16x8.mul(wide, by), less);
          sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_s(w));
          sizes = i32x4.add(sizes, i32x4.extadd_pairwise_i16x8_u(i16x8.abs(w)));
        }
        const nibbles = i8x16.add(v, eight);
        beyond = v128.or(beyond, i8x16.shr_u(nibbles, 4));
        if (RELAXED) {
          const place = to + at + (half << 7);
          const own = i16x8.shl(v128.and(v, i8x16.splat(15)), lane & 4);
          flip32(place, i32x4.extract_lane(own, 0));
          flip32(place + 32, i32x4.extract_lane(own, 1));
          flip32(place + 64, i32x4.extract_lane(own, 2));
          flip32(place + 96, i32x4.extract_lane(own, 3));
          continue;
        }
        const both = v128.xor(v128.or(nibbles, i64x2.shr_u(nibbles, 28)), flip);
        v128.store32_lane(to + at + (half << 5), both, 0);
        v128.store32_lane(to + at + (half << 5) + 16, both, 2);
      }
      sum += total(sums);
      most += total(sizes);
      if ((g + 1) % segment == 0 || g + 1 == groups) {
        store<i32>(colsum + ((<usize>(g / segment) * <usize>columns + <usize>c) << 2), sum);
        if (most > MOST_SUM) fault |= 4;
        sum = 0;
        most = 0;
      }
    }
  }
  return fault | (v128.any_true(beyond) ? 1 : 0);
}

function flip32(to: usize, bits: i32): void {
  store<i32>(to, load<i32>(to) ^ bits);
}

function total(v: v128): i32 {
  v = i32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  v = i32x4.add(v, i32x4.shuffle(v, v, 1, 0, 3, 2));
  return i32x4.extract_lane(v, 0);
}
