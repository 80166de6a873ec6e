// The products of f32 depthwise convolution, one filter a channel: pixels, one by one or four by four.
//
//   packed weights, eight channels | tap 0: c0 c1 ... c7 | tap 1: c0 c1 ... c7 | ... |

import { clamp, storeWords8 } from "../lanes/lanes";

/** One pixel: `rows` × `cols` taps, dy and dx bytes apart in x, wy and 32 in w; `group` is from eight channels to the next. */
export function one(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  channels: i32,
  rows: i32,
  cols: i32,
  dx: usize,
  dy: usize,
  wy: usize,
  group: usize,
  lo: v128,
  hi: v128,
): void {
  for (let c = 0; c < channels; c += 8, y += 32, x += 32, w += group) {
    let c0 = f32x4.splat(0);
    let c1 = c0;
    let line = x;
    let tap = w;
    for (let i = rows; i > 0; i--, line += dy, tap += wy) {
      let p = line;
      let q = tap;
      for (let j = cols; j > 0; j--, p += dx, q += 32) {
        c0 = f32x4.add(c0, f32x4.mul(v128.load(p), v128.load(q)));
        c1 = f32x4.add(c1, f32x4.mul(v128.load(p, 16), v128.load(q, 16)));
      }
    }
    if (bias) {
      c0 = f32x4.add(c0, v128.load(bias));
      c1 = f32x4.add(c1, v128.load(bias, 16));
      bias += 32;
    }
    c0 = clamp(c0, lo, hi);
    c1 = clamp(c1, lo, hi);
    if (channels - c >= 8) {
      v128.store(y, c0);
      v128.store(y, c1, 16);
    } else storeWords8(y, c0, c1, channels - c);
  }
}

/** The same for four neighbours in y, sy bytes apart in y and sx in x. */
export function four(
  y: usize,
  sy: usize,
  x: usize,
  sx: usize,
  w: usize,
  bias: usize,
  channels: i32,
  rows: i32,
  cols: i32,
  dx: usize,
  dy: usize,
  wy: usize,
  group: usize,
  lo: v128,
  hi: v128,
): void {
  for (let c = 0; c < channels; c += 8, y += 32, x += 32, w += group) {
    let c00 = f32x4.splat(0);
    let c01 = c00;
    let c10 = c00;
    let c11 = c00;
    let c20 = c00;
    let c21 = c00;
    let c30 = c00;
    let c31 = c00;
    let line = x;
    let tap = w;
    for (let i = rows; i > 0; i--, line += dy, tap += wy) {
      let p = line;
      let q = tap;
      for (let j = cols; j > 0; j--, p += dx, q += 32) {
        const w0 = v128.load(q);
        const w1 = v128.load(q, 16);
        let s = p;
        c00 = f32x4.add(c00, f32x4.mul(v128.load(s), w0));
        c01 = f32x4.add(c01, f32x4.mul(v128.load(s, 16), w1));
        s += sx;
        c10 = f32x4.add(c10, f32x4.mul(v128.load(s), w0));
        c11 = f32x4.add(c11, f32x4.mul(v128.load(s, 16), w1));
        s += sx;
        c20 = f32x4.add(c20, f32x4.mul(v128.load(s), w0));
        c21 = f32x4.add(c21, f32x4.mul(v128.load(s, 16), w1));
        s += sx;
        c30 = f32x4.add(c30, f32x4.mul(v128.load(s), w0));
        c31 = f32x4.add(c31, f32x4.mul(v128.load(s, 16), w1));
      }
    }
    let b0 = f32x4.splat(0);
    let b1 = b0;
    if (bias) {
      b0 = v128.load(bias);
      b1 = v128.load(bias, 16);
      bias += 32;
    }
    c00 = clamp(f32x4.add(c00, b0), lo, hi);
    c01 = clamp(f32x4.add(c01, b1), lo, hi);
    c10 = clamp(f32x4.add(c10, b0), lo, hi);
    c11 = clamp(f32x4.add(c11, b1), lo, hi);
    c20 = clamp(f32x4.add(c20, b0), lo, hi);
    c21 = clamp(f32x4.add(c21, b1), lo, hi);
    c30 = clamp(f32x4.add(c30, b0), lo, hi);
    c31 = clamp(f32x4.add(c31, b1), lo, hi);
    const count = channels - c;
    const y1 = y + sy;
    const y2 = y1 + sy;
    const y3 = y2 + sy;
    if (count >= 8) {
      v128.store(y, c00);
      v128.store(y, c01, 16);
      v128.store(y1, c10);
      v128.store(y1, c11, 16);
      v128.store(y2, c20);
      v128.store(y2, c21, 16);
      v128.store(y3, c30);
      v128.store(y3, c31, 16);
    } else {
      storeWords8(y, c00, c01, count);
      storeWords8(y1, c10, c11, count);
      storeWords8(y2, c20, c21, count);
      storeWords8(y3, c30, c31, count);
    }
  }
}

/**
 * The same for whole groups of four channels, three taps a row, where neighbours' windows are shifted by one tap: six
 * columns serve four pixels. Smaller than V8's 15 registers: it loads all operands of a straight line first.
 */
export function fourOfThree(
  y: usize,
  sy: usize,
  x: usize,
  w: usize,
  bias: usize,
  channels: i32,
  rows: i32,
  dx: usize,
  dy: usize,
  group: usize,
  lo: v128,
  hi: v128,
): void {
  for (let c = 0; c < channels; c += 4, y += 16, x += 16) {
    let b = f32x4.splat(0);
    if (bias) {
      b = v128.load(bias);
      bias += 16;
    }
    let c0 = f32x4.splat(0);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    let line = x;
    let q = w + <usize>(c >> 3) * group + ((<usize>(c & 4)) << 2);
    for (let i = rows; i > 0; i--, line += dy, q += 96) {
      const w0 = v128.load(q);
      const w1 = v128.load(q, 32);
      const w2 = v128.load(q, 64);
      let p = line;
      let v = v128.load(p);
      c0 = f32x4.add(c0, f32x4.mul(v, w0));
      p += dx;
      v = v128.load(p);
      c0 = f32x4.add(c0, f32x4.mul(v, w1));
      c1 = f32x4.add(c1, f32x4.mul(v, w0));
      p += dx;
      v = v128.load(p);
      c0 = f32x4.add(c0, f32x4.mul(v, w2));
      c1 = f32x4.add(c1, f32x4.mul(v, w1));
      c2 = f32x4.add(c2, f32x4.mul(v, w0));
      p += dx;
      v = v128.load(p);
      c1 = f32x4.add(c1, f32x4.mul(v, w2));
      c2 = f32x4.add(c2, f32x4.mul(v, w1));
      c3 = f32x4.add(c3, f32x4.mul(v, w0));
      p += dx;
      v = v128.load(p);
      c2 = f32x4.add(c2, f32x4.mul(v, w2));
      c3 = f32x4.add(c3, f32x4.mul(v, w1));
      v = v128.load(p + dx);
      c3 = f32x4.add(c3, f32x4.mul(v, w2));
    }
    let out = y;
    v128.store(out, clamp(f32x4.add(c0, b), lo, hi));
    out += sy;
    v128.store(out, clamp(f32x4.add(c1, b), lo, hi));
    out += sy;
    v128.store(out, clamp(f32x4.add(c2, b), lo, hi));
    out += sy;
    v128.store(out, clamp(f32x4.add(c3, b), lo, hi));
  }
}
