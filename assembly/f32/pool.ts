// Max and average pooling of f32, channels last. A block is the 16 bytes of four channels.

import { Pooling, poolWindows } from "../lanes/pool";
import { storeBytes } from "../lanes/simd";
import { Window } from "../lanes/window";

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

function sumBlock(x: usize, rows: i32, cols: i32, dx: usize, dy: usize): v128 {
  let s = f32x4.splat(0);
  for (; rows > 0; rows--, x += dy) {
    let p = x;
    for (let i = 0; i < cols; i++, p += dx) s = f32x4.add(s, v128.load(p));
  }
  return s;
}

class Floats implements Pooling {
  pixel(
    how: usize,
    y: usize,
    x: usize,
    size: i32,
    rows: i32,
    cols: i32,
    dx: usize,
    dy: usize,
    valid: i32,
    count: i32,
  ): void {
    const by = f32x4.splat(<f32>count);
    let c = 0;
    if (!how) for (; c + 32 <= size; c += 32) maxBlocks(y + c, x + c, rows, cols, dx, dy);
    for (; c < size; c += 16) {
      const at = x + c;
      const v = how ? f32x4.div(sumBlock(at, rows, cols, dx, dy), by) : maxBlock(at, rows, cols, dx, dy);
      storeBytes(y + c, v, size - c);
    }
  }
}

/**
 * y[p][c] = max of x[p·stride + (ky,kx)·dilation − pad][c] over ky < kh, kx < kw. Range: output rows, n·outH.
 *
 * x and y as the window says, whose cin channels both have, densely. NaN stays NaN.
 */
export function maxPool(y: usize, x: usize, window: usize, begin: i32, end: i32): void {
  const size = changetype<Window>(window).cin << 2;
  poolWindows<Floats>(0, y, x, window, size, begin, end);
}

/**
 * y[p][c] = (Σ_{ky,kx} x[p·stride + (ky,kx)·dilation − pad][c]) / count. Range: output rows, n·outH.
 *
 * Taps ascending; count = taps inside the image, or above row coverH and left of column coverW where coverH is not 0:
 * the image with the padding that counts. Shapes as maxPool.
 */
export function averagePool(y: usize, x: usize, window: usize, begin: i32, end: i32): void {
  const size = changetype<Window>(window).cin << 2;
  poolWindows<Floats>(1, y, x, window, size, begin, end);
}
