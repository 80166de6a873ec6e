// The products of int8 depthwise convolution: pixels over planes of zipped rows, which depthwise.ts makes.

import { storeBytes8 } from "../lanes/simd";
import { codeMagic, narrow, requantize } from "./epilogue";
import { multiplyAdd16, multiplyAddLow8 } from "./multiply-add";
import { RELAXED } from "./panels";

/** sum + the G products of each channel. */
function multiplyAdd(sum: v128, x: v128, w: v128): v128 {
  return RELAXED ? multiplyAddLow8(sum, w, x) : multiplyAdd16(sum, x, w);
}

/**
 * Four channels of `rows` rows of `pixels` pixels, a multiple of four.
 *
 * Rows of y are ldy bytes apart, those of planes ldx. The offsets from `table` on are of columns in threes, those from
 * `singles` on of lone ones. Four sums, six columns and three weights fit the registers that V8 has.
 */
export function multiplyFours(
  y: usize,
  ldy: usize,
  channels: usize,
  cols: i32,
  rows: i32,
  pixels: i32,
  x: usize,
  ldx: usize,
  table: usize,
  singles: usize,
  last: usize,
  w: usize,
  offset: usize,
  scale: usize,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  for (; rows > 0; rows--, x += ldx, y += ldy) {
    let to = y;
    let pixel = x;
    for (let n = pixels; n > 0; n -= 4, pixel += 128, to += channels << 2) {
      let a = v128.load(offset);
      let b = a;
      let c = a;
      let d = a;
      let from = w;
      let t = table;
      for (; t < singles; t += 4, from += 96) {
        const at = pixel + load<i32>(t);
        const w0 = v128.load(from);
        const w1 = v128.load(from, 32);
        const w2 = v128.load(from, 64);
        const x0 = v128.load(at);
        const x1 = v128.load(at, 32);
        const x2 = v128.load(at, 64);
        const x3 = v128.load(at, 96);
        const x4 = v128.load(at, 128);
        const x5 = v128.load(at, 160);
        a = multiplyAdd(multiplyAdd(multiplyAdd(a, x0, w0), x1, w1), x2, w2);
        b = multiplyAdd(multiplyAdd(multiplyAdd(b, x1, w0), x2, w1), x3, w2);
        c = multiplyAdd(multiplyAdd(multiplyAdd(c, x2, w0), x3, w1), x4, w2);
        d = multiplyAdd(multiplyAdd(multiplyAdd(d, x3, w0), x4, w1), x5, w2);
      }
      for (; t < last; t += 4, from += 32) {
        const at = pixel + load<i32>(t);
        const w0 = v128.load(from);
        a = multiplyAdd(a, v128.load(at), w0);
        b = multiplyAdd(b, v128.load(at, 32), w0);
        c = multiplyAdd(c, v128.load(at, 64), w0);
        d = multiplyAdd(d, v128.load(at, 96), w0);
      }
      const s = v128.load(scale);
      const q = narrow(
        requantize(a, s, lo, codeMagic(), shift),
        requantize(b, s, lo, codeMagic(), shift),
        requantize(c, s, lo, codeMagic(), shift),
        requantize(d, s, lo, codeMagic(), shift),
        hi,
      );
      if (cols >= 4) {
        v128.store32_lane(to, q, 0);
        v128.store32_lane(to + channels, q, 1);
        v128.store32_lane(to + 2 * channels, q, 2);
        v128.store32_lane(to + 3 * channels, q, 3);
      } else {
        storeBytes8(to, i32x4.extract_lane(q, 0), cols);
        storeBytes8(to + channels, i32x4.extract_lane(q, 1), cols);
        storeBytes8(to + 2 * channels, i32x4.extract_lane(q, 2), cols);
        storeBytes8(to + 3 * channels, i32x4.extract_lane(q, 3), cols);
      }
    }
  }
}

/** Eight channels of pixels that make no four. */
export function multiplyOnes(
  y: usize,
  ldy: usize,
  channels: usize,
  cols: i32,
  rows: i32,
  pixels: i32,
  x: usize,
  ldx: usize,
  table: usize,
  singles: usize,
  last: usize,
  w: usize,
  offset: usize,
  scale: usize,
  lo: v128,
  hi: v128,
  shift: v128,
): void {
  for (; rows > 0; rows--, x += ldx, y += ldy) {
    let to = y;
    let pixel = x;
    for (let n = pixels; n > 0; n--, pixel += 32, to += channels) {
      let a = v128.load(offset);
      let b = v128.load(offset, 16);
      let from = w;
      let t = table;
      for (; t < singles; t += 4, from += 96) {
        const at = pixel + load<i32>(t);
        a = multiplyAdd(a, v128.load(at), v128.load(from));
        b = multiplyAdd(b, v128.load(at, 16), v128.load(from, 16));
        a = multiplyAdd(a, v128.load(at, 32), v128.load(from, 32));
        b = multiplyAdd(b, v128.load(at, 48), v128.load(from, 48));
        a = multiplyAdd(a, v128.load(at, 64), v128.load(from, 64));
        b = multiplyAdd(b, v128.load(at, 80), v128.load(from, 80));
      }
      for (; t < last; t += 4, from += 32) {
        const at = pixel + load<i32>(t);
        a = multiplyAdd(a, v128.load(at), v128.load(from));
        b = multiplyAdd(b, v128.load(at, 16), v128.load(from, 16));
      }
      a = requantize(a, v128.load(scale), lo, codeMagic(), shift);
      b = requantize(b, v128.load(scale, 16), lo, codeMagic(), shift);
      storeBytes8(to, i64x2.extract_lane(narrow(a, b, a, b, hi), 0), cols);
    }
  }
}
