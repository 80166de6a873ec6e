// Sums of gradients over what their operand was repeated along.

import { storeWords } from "../simd";

/** y[c] = Σ_r x[r][c], r ascending. x f32 [rows][cols], dense. Range: cols, begin a multiple of 4. */
export function sumRows(y: usize, x: usize, rows: i32, cols: i32, begin: i32, end: i32): void {
  const step = (<usize>cols) << 2;
  for (let c = begin; c < end; c += 4) {
    let from = x + ((<usize>c) << 2);
    let sum = f32x4.splat(0);
    for (let r = 0; r < rows; r++, from += step) sum = f32x4.add(sum, v128.load(from));
    storeWords(y + ((<usize>c) << 2), sum, end - c);
  }
}
