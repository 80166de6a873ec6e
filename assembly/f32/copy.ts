// Copies that change where elements lie, and fills. Operands do not overlap, xor128 apart.

import { storeBytes, storeWords } from "../lanes/simd";

/** From here on memory.copy is faster than a loop: a call out of wasm costs some 10 ns. */
const LONG: i32 = 256;

function copyRun(y: usize, x: usize, bytes: i32): void {
  if (bytes >= LONG) {
    memory.copy(y, x, bytes);
    return;
  }
  for (; bytes >= 16; bytes -= 16, x += 16, y += 16) v128.store(y, v128.load(x));
  if (bytes > 0) storeBytes(y, v128.load(x), bytes);
}

/** y[r] = x[r]: rows of `bytes`, ldy and ldx bytes apart. Range: rows. */
export function copyRows(y: usize, ldy: i32, x: usize, ldx: i32, bytes: i32, begin: i32, end: i32): void {
  y += <usize>(begin * ldy);
  x += <usize>(begin * ldx);
  if (ldy == bytes && ldx == bytes) copyRun(y, x, bytes * (end - begin));
  else for (let r = begin; r < end; r++, y += ldy, x += ldx) copyRun(y, x, bytes);
}

function strided<T>(
  y: usize,
  x: usize,
  d1: i32,
  d2: i32,
  d3: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  x0: i32,
  x1: i32,
  x2: i32,
  x3: i32,
  begin: i32,
  end: i32,
): void {
  const size = <i32>sizeof<T>();
  for (let i0 = begin; i0 < end; i0++) {
    for (let i1 = 0; i1 < d1; i1++) {
      for (let i2 = 0; i2 < d2; i2++) {
        let p = x + <usize>((i0 * x0 + i1 * x1 + i2 * x2) * size);
        let q = y + <usize>((i0 * y0 + i1 * y1 + i2 * y2) * size);
        if (y3 == 1 && x3 == 1) copyRun(q, p, d3 * size);
        else for (let i3 = 0; i3 < d3; i3++, p += x3 * size, q += y3 * size) store<T>(q, load<T>(p));
      }
    }
  }
}

/**
 * y[i·(y0,y1,y2,y3)] = x[i·(x0,x1,x2,x3)] for i0 from begin to end, i1 < d1, i2 < d2, i3 < d3; bytes.
 *
 * Strides in elements, of any sign, 0 in x to repeat. Transposes, slices, pads, concatenates and expands.
 */
export function copyStrided8(
  y: usize,
  x: usize,
  d1: i32,
  d2: i32,
  d3: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  x0: i32,
  x1: i32,
  x2: i32,
  x3: i32,
  begin: i32,
  end: i32,
): void {
  strided<u8>(y, x, d1, d2, d3, y0, y1, y2, y3, x0, x1, x2, x3, begin, end);
}

/** copyStrided8 for 4-byte elements. */
export function copyStrided32(
  y: usize,
  x: usize,
  d1: i32,
  d2: i32,
  d3: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  x0: i32,
  x1: i32,
  x2: i32,
  x3: i32,
  begin: i32,
  end: i32,
): void {
  strided<u32>(y, x, d1, d2, d3, y0, y1, y2, y3, x0, x1, x2, x3, begin, end);
}

/** y = x xor 0x80, bytes begin to end: u8 codes ↔ s8 codes. y may be x. */
export function xor128(y: usize, x: usize, begin: i32, end: i32): void {
  const sign = i8x16.splat(-128);
  for (let i = begin; i < end; i += 16) storeBytes(y + i, v128.xor(v128.load(x + i), sign), end - i);
}

/** y = value, 4-byte elements begin to end. */
export function fill32(y: usize, value: i32, begin: i32, end: i32): void {
  const v = i32x4.splat(value);
  for (let i = begin; i < end; i += 4) storeWords(y + ((<usize>i) << 2), v, end - i);
}
