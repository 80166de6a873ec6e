// Elements and rows picked by computed indices.

import { rowAt } from "../lanes/indices";
import { copyRun } from "../lanes/runs";

/**
 * y[o·count + i] = x[o·extent + indices[i]]: rows of `bytes`; indices i32 [count]. Range: rows of y.
 *
 * A negative index counts from the end; one outside picks the first or the last row.
 */
export function gather(
  y: usize,
  x: usize,
  indices: usize,
  extent: i32,
  count: i32,
  bytes: i32,
  begin: i32,
  end: i32,
): void {
  for (let r = begin; r < end; ) {
    const o = r / count;
    const from = x + <usize>(o * extent) * bytes;
    let to = y + <usize>r * bytes;
    let at = indices + ((<usize>(r - o * count)) << 2);
    const stop = min(end, (o + 1) * count);
    if (bytes == 4) {
      for (; r < stop; r++, at += 4, to += 4) {
        store<i32>(to, load<i32>(from + ((<usize>rowAt(load<i32>(at), extent)) << 2)));
      }
    } else if (bytes == 1) {
      for (; r < stop; r++, at += 4, to++) store<u8>(to, load<u8>(from + rowAt(load<i32>(at), extent)));
    } else {
      for (; r < stop; r++, at += 4, to += bytes) {
        copyRun(to, from + <usize>rowAt(load<i32>(at), extent) * bytes, bytes);
      }
    }
  }
}

/**
 * y[o, k, i] = x[o, indices[o, k, i], i]: y and indices (i32) [outer][count][inner], x [outer][extent][inner], elements of `size` bytes,
 * 4 or 1. Range: rows of y, outer · count. Indices are read as gather reads them.
 */
export function gatherElements(
  y: usize,
  x: usize,
  indices: usize,
  size: i32,
  extent: i32,
  count: i32,
  inner: i32,
  begin: i32,
  end: i32,
): void {
  const shift = <usize>(size >> 1);
  for (let r = begin; r < end; ) {
    const o = r / count;
    const stop = min(end, (o + 1) * count);
    const from = x + ((<usize>(o * extent) * inner) << shift);
    let at = <usize>r * inner;
    const last = <usize>stop * inner;
    if (inner == 1 && size == 4)
      for (; at < last; at++) {
        const source = from + ((<usize>rowAt(load<i32>(indices + (at << 2)), extent)) << 2);
        store<i32>(y + (at << 2), load<i32>(source));
      }
    for (let i = 0; at < last; at++) {
      const source = from + ((<usize>rowAt(load<i32>(indices + (at << 2)), extent) * inner + i) << shift);
      if (size == 4) store<i32>(y + (at << 2), load<i32>(source));
      else store<u8>(y + at, load<u8>(source));
      if (++i == inner) i = 0;
    }
    r = stop;
  }
}

/**
 * y[r] = extent·y[r] + indices[r·depth + k]: one step of numbering places by tuples of indices, i32 [rows][depth]; for k = 0 with r /
 * `rows` in place of y[r]. Range: y. Indices are read as gather reads them.
 */
export function numberPlaces(
  y: usize,
  indices: usize,
  rows: i32,
  depth: i32,
  k: i32,
  extent: i32,
  begin: i32,
  end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const to = y + ((<usize>r) << 2);
    const before = k ? load<i32>(to) : r / rows;
    store<i32>(to, before * extent + rowAt(load<i32>(indices + ((<usize>r * depth + k) << 2)), extent));
  }
}
