// Gradient of rows picked by indices.

import { rowAt } from "../lanes/indices";
import { storeWords } from "../lanes/simd";

/**
 * dx[o·extent + e] = Σ_i dy[o·count + i] over the i whose index picks row e, i ascending: rows of `cols`, f32; indices i32
 * [count], read as gather reads them. Range: rows of dx.
 */
export function gatherGradient(
  dx: usize,
  dy: usize,
  indices: usize,
  extent: i32,
  count: i32,
  cols: i32,
  begin: i32,
  end: i32,
): void {
  if (begin >= end) return;
  const row = (<usize>cols) << 2;
  memory.fill(dx + <usize>begin * row, 0, <usize>(end - begin) * row);
  for (let o = begin / extent; o * extent < end; o++) {
    let from = dy + <usize>(o * count) * row;
    for (let i = 0; i < count; i++, from += row) {
      const r = o * extent + rowAt(load<i32>(indices + ((<usize>i) << 2)), extent);
      if (r < begin || r >= end) continue;
      const to = dx + <usize>r * row;
      for (let c = 0; c < cols; c += 4) {
        const at = (<usize>c) << 2;
        storeWords(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)), cols - c);
      }
    }
  }
}
