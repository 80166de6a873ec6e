// Max and average pooling of u8 codes, channels last. A block is sixteen channels.

import { Pooling, poolWindows } from "../lanes/pool";
import { storeBytes } from "../lanes/simd";
import { Window } from "../lanes/window";
import { codeMagic, codeShift, narrow, requantize } from "./epilogue";
import { Rescale } from "./sizes";

/** Bytes that can be summed in 16 bits. */
const TAPS_16: i32 = 257;

function maxBlockU8(x: usize, rows: i32, cols: i32, dx: usize, dy: usize): v128 {
  let m = i8x16.splat(0);
  for (; rows > 0; rows--, x += dy) {
    let p = x;
    for (let i = 0; i < cols; i++, p += dx) m = i8x16.max_u(m, v128.load(p));
  }
  return m;
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

class Codes implements Pooling {
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
    if (!how) {
      for (let c = 0; c < size; c += 16) storeBytes(y + c, maxBlockU8(x + c, rows, cols, dx, dy), size - c);
      return;
    }
    const numbers = changetype<Rescale>(how);
    const zero = numbers.yZero;
    const low = f32x4.splat(numbers.lo - zero);
    const high = i8x16.splat(<i8>numbers.hi);
    const shift = codeShift(<i32>zero);
    const offset = i32x4.splat(-valid * <i32>numbers.xZero);
    const m = f32x4.splat(numbers.xScale / <f32>count / numbers.yScale);
    for (let c = 0; c < size; c += 16) {
      const q = averageBlockU8(x + c, rows, cols, dx, dy, offset, m, low, high, shift);
      storeBytes(y + c, q, size - c);
    }
  }
}

/** maxPool of u8 codes: codes pass through. */
export function maxPoolU8(y: usize, x: usize, window: usize, begin: i32, end: i32): void {
  const size = changetype<Window>(window).cin;
  poolWindows<Codes>(0, y, x, window, size, begin, end);
}

/**
 * y[p][c] = clamp(rne(f32(Σ (x − xZero)) · m) + yZero, lo, hi), m = f32(f32(xScale / count) / yScale), u8.
 *
 * The numbers are those of a Rescale. The sum is exact in i32; taps, count, shapes and range as averagePool.
 */
export function averagePoolU8(y: usize, x: usize, window: usize, rescale: usize, begin: i32, end: i32): void {
  const size = changetype<Window>(window).cin;
  poolWindows<Codes>(rescale, y, x, window, size, begin, end);
}
