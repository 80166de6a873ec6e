// Rows picked by computed indices.

import { rowAt } from "../lanes/indices";

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
  for (let r = begin; r < end; r++) {
    const o = r / count;
    const row = o * extent + rowAt(load<i32>(indices + ((<usize>(r - o * count)) << 2)), extent);
    memory.copy(y + <usize>(r * bytes), x + <usize>(row * bytes), bytes);
  }
}
