// Max and average pooling, channels last, f32 and u8. One walk over the windows serves all four; a block is the
// 16 bytes of 4 or 16 channels. Taps outside the image are skipped. A window as large as the image pools it all.

import { codeMagic, codeShift, narrow, requantize } from "../int8/epilogue";
import { storeBytes } from "../lanes/simd";
import { firstTap, lastTap } from "../lanes/taps";

const MAX: i32 = 0;
const MAX_U8: i32 = 1;
const AVERAGE: i32 = 2;
const AVERAGE_U8: i32 = 3;

/** Bytes that can be summed in 16 bits. */
const TAPS_16: i32 = 257;

/** The largest of every lane. pmax passes over NaN; a sum beside it finds that there may be one. */
function maxBlock(x: usize, rows: i32, cols: i32, dx: usize, dy: usize): v128 {
  let m = f32x4.splat(-Infinity);
  let sum = f32x4.splat(0);
  let line = x;
  for (let r = rows; r > 0; r--, line += dy) {
    let p = line;
    for (let i = cols; i > 0; i--, p += dx) {
      const v = v128.load(p);
      m = f32x4.pmax(m, v);
      sum = f32x4.add(sum, v);
    }
  }
  return v128.any_true(f32x4.ne(sum, sum)) ? withNaN(m, x, rows, cols, dx, dy) : m;
}

/** Two blocks side by side, to y. */
function maxBlocks(y: usize, x: usize, rows: i32, cols: i32, dx: usize, dy: usize): void {
  let m0 = f32x4.splat(-Infinity);
  let m1 = m0;
  let sum0 = f32x4.splat(0);
  let sum1 = sum0;
  let line = x;
  for (let r = rows; r > 0; r--, line += dy) {
    let p = line;
    for (let i = cols; i > 0; i--, p += dx) {
      const v0 = v128.load(p);
      const v1 = v128.load(p, 16);
      m0 = f32x4.pmax(m0, v0);
      m1 = f32x4.pmax(m1, v1);
      sum0 = f32x4.add(sum0, v0);
      sum1 = f32x4.add(sum1, v1);
    }
  }
  sum0 = f32x4.add(sum0, sum1);
  if (v128.any_true(f32x4.ne(sum0, sum0))) {
    m0 = withNaN(m0, x, rows, cols, dx, dy);
    m1 = withNaN(m1, x + 16, rows, cols, dx, dy);
  }
  v128.store(y, m0);
  v128.store(y, m1, 16);
}

/** m, and NaN where one was passed over. */
function withNaN(m: v128, x: usize, rows: i32, cols: i32, dx: usize, dy: usize): v128 {
  for (; rows > 0; rows--, x += dy) {
    let p = x;
    for (let i = 0; i < cols; i++, p += dx) {
      const v = v128.load(p);
      m = v128.bitselect(v, m, f32x4.ne(v, v));
    }
  }
  return m;
}

function maxBlockU8(x: usize, rows: i32, cols: i32, dx: usize, dy: usize): v128 {
  let m = i8x16.splat(0);
  for (; rows > 0; rows--, x += dy) {
    let p = x;
    for (let i = 0; i < cols; i++, p += dx) m = i8x16.max_u(m, v128.load(p));
  }
  return m;
}

function sumBlock(x: usize, rows: i32, cols: i32, dx: usize, dy: usize): v128 {
  let s = f32x4.splat(0);
  for (; rows > 0; rows--, x += dy) {
    let p = x;
    for (let i = 0; i < cols; i++, p += dx) s = f32x4.add(s, v128.load(p));
  }
  return s;
}

/** clamp(rne(f32(Σ x + offset) · m), lo, hi) + zero for sixteen channels. */
function averageBlockU8(
  x: usize,
  rows: i32,
  cols: i32,
  dx: usize,
  dy: usize,
  offset: v128,
  m: v128,
  lo: v128,
  hi: v128,
  shift: v128,
): v128 {
  let s0 = offset;
  let s1 = offset;
  let s2 = offset;
  let s3 = offset;
  for (; rows > 0; rows--, x += dy) {
    let p = x;
    for (let i = 0; i < cols; i += TAPS_16) {
      let low = i16x8.splat(0);
      let high = low;
      for (let n = min(TAPS_16, cols - i); n > 0; n--, p += dx) {
        const v = v128.load(p);
        low = i16x8.add(low, i16x8.extend_low_i8x16_u(v));
        high = i16x8.add(high, i16x8.extend_high_i8x16_u(v));
      }
      s0 = i32x4.add(s0, i32x4.extend_low_i16x8_u(low));
      s1 = i32x4.add(s1, i32x4.extend_high_i16x8_u(low));
      s2 = i32x4.add(s2, i32x4.extend_low_i16x8_u(high));
      s3 = i32x4.add(s3, i32x4.extend_high_i16x8_u(high));
    }
  }
  return narrow(
    requantize(s0, m, lo, codeMagic(), shift),
    requantize(s1, m, lo, codeMagic(), shift),
    requantize(s2, m, lo, codeMagic(), shift),
    requantize(s3, m, lo, codeMagic(), shift),
    hi,
  );
}

/** All windows of output rows begin to end. `size`: bytes of a pixel; the last six only for AVERAGE_U8. */
function pool(
  kind: i32,
  y: usize,
  x: usize,
  inH: i32,
  inW: i32,
  size: i32,
  outH: i32,
  outW: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  coverH: i32,
  coverW: i32,
  begin: i32,
  end: i32,
  xScale: f32,
  xZero: i32,
  yScale: f32,
  yZero: i32,
  lo: i32,
  hi: i32,
): void {
  const dx = <usize>(size * dilationW);
  const dy = <usize>(size * dilationH * inW);
  const low = f32x4.splat(<f32>(lo - yZero));
  const high = i8x16.splat(<i8>hi);
  const shift = codeShift(yZero);
  let out = y + <usize>(begin * outW * size);
  for (let r = begin; r < end; r++) {
    const image = r / outH;
    const iy = (r - image * outH) * strideH - padTop;
    const top = firstTap(iy, dilationH);
    const rows = lastTap(iy, dilationH, kh, inH) - top;
    const line = x + <usize>((image * inH + iy + top * dilationH) * inW * size);
    for (let ox = 0; ox < outW; ox++, out += size) {
      const ix = ox * strideW - padLeft;
      const left = firstTap(ix, dilationW);
      const cols = lastTap(ix, dilationW, kw, inW) - left;
      const valid = rows * cols;
      const count = <f32>(
        (coverH ? lastTap(iy, dilationH, kh, coverH) * lastTap(ix, dilationW, kw, coverW) : valid)
      );
      const p = line + <usize>((ix + left * dilationW) * size);
      // Rows that follow one another without a gap are one.
      const joined = rows > 1 && <usize>cols * dx == dy;
      const tall = joined ? 1 : rows;
      const wide = joined ? valid : cols;
      const offset = i32x4.splat(-valid * xZero);
      const m = f32x4.splat(xScale / count / yScale);
      let c = 0;
      if (kind == MAX) {
        for (; c + 32 <= size; c += 32) maxBlocks(out + c, p + c, tall, wide, dx, dy);
      }
      for (; c < size; c += 16) {
        const at = p + c;
        let v: v128;
        if (kind == MAX) v = maxBlock(at, tall, wide, dx, dy);
        else if (kind == MAX_U8) v = maxBlockU8(at, tall, wide, dx, dy);
        else if (kind == AVERAGE) v = f32x4.div(sumBlock(at, tall, wide, dx, dy), f32x4.splat(count));
        else v = averageBlockU8(at, tall, wide, dx, dy, offset, m, low, high, shift);
        if (size - c >= 16) v128.store(out + c, v);
        else storeBytes(out + c, v, size - c);
      }
    }
  }
}

/**
 * y[p][c] = max of x[p·stride + (ky,kx)·dilation − pad][c] over ky < kh, kx < kw. Range: output rows, n·outH.
 *
 * x [n][inH][inW][channels], y [n][outH][outW][channels]. NaN stays NaN.
 */
export function maxPool(
  y: usize,
  x: usize,
  inH: i32,
  inW: i32,
  channels: i32,
  outH: i32,
  outW: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  begin: i32,
  end: i32,
): void {
  pool(
    MAX,
    y,
    x,
    inH,
    inW,
    channels << 2,
    outH,
    outW,
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    0,
    0,
    begin,
    end,
    0,
    0,
    0,
    0,
    0,
    0,
  );
}

/** maxPool of u8 codes: codes pass through. */
export function maxPoolU8(
  y: usize,
  x: usize,
  inH: i32,
  inW: i32,
  channels: i32,
  outH: i32,
  outW: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  begin: i32,
  end: i32,
): void {
  pool(
    MAX_U8,
    y,
    x,
    inH,
    inW,
    channels,
    outH,
    outW,
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    0,
    0,
    begin,
    end,
    0,
    0,
    0,
    0,
    0,
    0,
  );
}

/**
 * y[p][c] = (Σ_{ky,kx} x[p·stride + (ky,kx)·dilation − pad][c]) / count. Range: output rows, n·outH.
 *
 * Taps ascending; count = taps inside the image, or above row coverH and left of column coverW where coverH is not 0:
 * the image with the padding that counts. Shapes as maxPool.
 */
export function averagePool(
  y: usize,
  x: usize,
  inH: i32,
  inW: i32,
  channels: i32,
  outH: i32,
  outW: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  coverH: i32,
  coverW: i32,
  begin: i32,
  end: i32,
): void {
  pool(
    AVERAGE,
    y,
    x,
    inH,
    inW,
    channels << 2,
    outH,
    outW,
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    coverH,
    coverW,
    begin,
    end,
    0,
    0,
    0,
    0,
    0,
    0,
  );
}

/**
 * y[p][c] = clamp(rne(f32(Σ (x − xZero)) · m) + yZero, lo, hi), m = f32(f32(xScale / count) / yScale), u8.
 *
 * The sum is exact in i32; taps, count, shapes and range as averagePool.
 */
export function averagePoolU8(
  y: usize,
  x: usize,
  inH: i32,
  inW: i32,
  channels: i32,
  outH: i32,
  outW: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  coverH: i32,
  coverW: i32,
  xScale: f32,
  xZero: i32,
  yScale: f32,
  yZero: i32,
  lo: i32,
  hi: i32,
  begin: i32,
  end: i32,
): void {
  pool(
    AVERAGE_U8,
    y,
    x,
    inH,
    inW,
    channels,
    outH,
    outW,
    kh,
    kw,
    strideH,
    strideW,
    dilationH,
    dilationW,
    padTop,
    padLeft,
    coverH,
    coverW,
    begin,
    end,
    xScale,
    xZero,
    yScale,
    yZero,
    lo,
    hi,
  );
}
