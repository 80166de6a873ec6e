// Sums of gradients over what their operand was repeated along.

import { storeWords } from "../lanes/simd";

/** (x[0] + x[2] + …) + (x[1] + x[3] + …) of four columns, `step` bytes from row to row: two chains hide half a latency. */
function sum4(x: usize, step: usize, rows: i32): v128 {
  let even = f32x4.splat(0);
  let odd = even;
  for (; rows > 1; rows -= 2, x += step << 1) {
    even = f32x4.add(even, v128.load(x));
    odd = f32x4.add(odd, v128.load(x + step));
  }
  if (rows > 0) even = f32x4.add(even, v128.load(x));
  return f32x4.add(even, odd);
}

/** The same of sixteen columns, a line of the cache, to y. */
function sum16(y: usize, x: usize, step: usize, rows: i32): void {
  let even0 = f32x4.splat(0);
  let even1 = even0;
  let even2 = even0;
  let even3 = even0;
  let odd0 = even0;
  let odd1 = even0;
  let odd2 = even0;
  let odd3 = even0;
  for (; rows > 1; rows -= 2, x += step) {
    even0 = f32x4.add(even0, v128.load(x));
    even1 = f32x4.add(even1, v128.load(x, 16));
    even2 = f32x4.add(even2, v128.load(x, 32));
    even3 = f32x4.add(even3, v128.load(x, 48));
    x += step;
    odd0 = f32x4.add(odd0, v128.load(x));
    odd1 = f32x4.add(odd1, v128.load(x, 16));
    odd2 = f32x4.add(odd2, v128.load(x, 32));
    odd3 = f32x4.add(odd3, v128.load(x, 48));
  }
  if (rows > 0) {
    even0 = f32x4.add(even0, v128.load(x));
    even1 = f32x4.add(even1, v128.load(x, 16));
    even2 = f32x4.add(even2, v128.load(x, 32));
    even3 = f32x4.add(even3, v128.load(x, 48));
  }
  v128.store(y, f32x4.add(even0, odd0));
  v128.store(y, f32x4.add(even1, odd1), 16);
  v128.store(y, f32x4.add(even2, odd2), 32);
  v128.store(y, f32x4.add(even3, odd3), 48);
}

/** y[c] = Σ_r x[r][c]: even rows and odd rows, each ascending, then both. x f32 [rows][cols], dense. Range: cols. */
export function sumRows(y: usize, x: usize, rows: i32, cols: i32, begin: i32, end: i32): void {
  const step = (<usize>cols) << 2;
  let c = begin;
  for (; c + 16 <= end; c += 16) sum16(y + ((<usize>c) << 2), x + ((<usize>c) << 2), step, rows);
  for (; c < end; c += 4) storeWords(y + ((<usize>c) << 2), sum4(x + ((<usize>c) << 2), step, rows), end - c);
}
