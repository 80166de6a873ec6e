// Triangles, diagonals and ones at places, of elements of any type.

import { copyRun } from "../lanes/runs";

/** y[i] = value, i < n: 4-byte elements, or its low bytes. */
function fillRun(y: usize, value: i32, size: i32, n: i32): void {
  if (size == 1) memory.fill(y, <u8>value, n);
  else for (; n > 0; n--, y += 4) store<i32>(y, value);
}

/**
 * y[b, i, j] = x[b, i, j] where j ≥ i + k (upper), or j ≤ i + k (lower); `zero` elsewhere: matrices [rows][cols] of elements of `size`
 * bytes, 4 or 1; k is an i32 in memory. Range: rows of all matrices. y may be x.
 */
export function triangle(
  y: usize,
  x: usize,
  k: usize,
  size: i32,
  rows: i32,
  cols: i32,
  upper: i32,
  zero: i32,
  begin: i32,
  end: i32,
): void {
  const shift = <i64>load<i32>(k) + (upper ? 0 : 1);
  for (let r = begin; r < end; r++) {
    const cut = <i32>max<i64>(0, min<i64>(cols, <i64>(r % rows) + shift));
    const from = upper ? cut : 0;
    const count = upper ? cols - cut : cut;
    const row = <usize>(r * cols) * size;
    if (y != x && count > 0) copyRun(y + row + from * size, x + row + from * size, count * size);
    fillRun(y + row + (upper ? 0 : cut * size), zero, size, cols - count);
  }
}

/** y[i, j] = one where j = i + k, zero elsewhere: rows of `cols` elements of `size` bytes, 4 or 1. Range: rows. */
export function diagonal(
  y: usize,
  size: i32,
  cols: i32,
  k: i32,
  zero: i32,
  one: i32,
  begin: i32,
  end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const row = y + <usize>(r * cols) * size;
    fillRun(row, zero, size, cols);
    const j = <i64>r + k;
    if (j >= 0 && j < cols) fillRun(row + <usize>j * size, one, size, 1);
  }
}

/** An index of any type: 0 f32, whose fraction is cut off, 1 i32, 2 u8, 3 i8 (held with 128 added). */
function indexAt(indices: usize, at: usize, type: i32): i32 {
  if (type == 0)
    return i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(f32x4.splat(load<f32>(indices + (at << 2)))), 0);
  if (type == 1) return load<i32>(indices + (at << 2));
  return <i32>load<u8>(indices + at) - (type == 3 ? 128 : 0);
}

/**
 * y[o, d, i] = values[1] where indices[o, i] is d, or d − depth; values[0] elsewhere: y [outer][depth][inner] and values [2] of elements of
 * `size` bytes, 4 or 1; `type` that of the indices, as indexAt has them. Range: outer.
 */
export function oneHot(
  y: usize,
  indices: usize,
  values: usize,
  size: i32,
  type: i32,
  depth: i32,
  inner: i32,
  begin: i32,
  end: i32,
): void {
  const off = size == 4 ? load<i32>(values) : load<u8>(values);
  const on = size == 4 ? load<i32>(values, 4) : load<u8>(values, 1);
  for (let o = begin; o < end; o++) {
    const to = y + <usize>(o * depth * inner) * size;
    fillRun(to, off, size, depth * inner);
    for (let i = 0; i < inner; i++) {
      let d = indexAt(indices, <usize>(o * inner + i), type);
      if (d < 0) d += depth;
      if (d >= 0 && d < depth) fillRun(to + <usize>(d * inner + i) * size, on, size, 1);
    }
  }
}

/**
 * The first lengths[b] rows of each b in reverse order, the others as they are: y and x [times][batch] rows of `bytes`, or [batch][times]
 * where `timeLast`; lengths i32 [batch]. Range: rows.
 */
export function reverseRows(
  y: usize,
  x: usize,
  lengths: usize,
  times: i32,
  batch: i32,
  timeLast: i32,
  bytes: i32,
  begin: i32,
  end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const b = timeLast ? r / times : r % batch;
    const t = timeLast ? r - b * times : r / batch;
    const length = min(times, load<i32>(lengths + ((<usize>b) << 2)));
    const source = t < length ? length - 1 - t : t;
    const from = timeLast ? b * times + source : source * batch + b;
    copyRun(y + <usize>r * bytes, x + <usize>from * bytes, bytes);
  }
}
