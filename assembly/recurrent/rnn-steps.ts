// The steps of plain recurrent layers, whatever multiplies the states.

import { activate, startStates, stepAt, stepsOf, storeState } from "./activate";
import { Product, Recurrence } from "./sizes";

/** The steps of rnn for rows begin to end. sums f32 [rows][hidden]. */
export function rnnSteps<P extends Product>(
  product: P,
  sums: usize,
  y: usize,
  h: usize,
  z: usize,
  lengths: usize,
  h0: usize,
  options: usize,
  steps: i32,
  stepZ: i32,
  rowZ: i32,
  stepY: i32,
  rowY: i32,
  rowH: i32,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Recurrence>(options);
  const hidden = <i32>how.hidden;
  const reverse = how.reverse != 0;
  const rows = end - begin;
  const state = (<usize>hidden) << 2;
  const first = (<usize>(begin * rowH)) << 2;
  startStates(h, h0, lengths, hidden, rowH, begin, end);
  for (let s = 0; s < steps; s++) {
    product.multiply(sums, h + first, rowH, rows);
    for (let row = begin; row < end; row++) {
      const length = stepsOf(lengths, row, steps);
      const t = stepAt(s, length, reverse);
      const to = y ? y + ((<usize>(t * stepY + row * rowY)) << 2) : 0;
      if (s >= length) {
        if (to) memory.fill(to, 0, state);
        continue;
      }
      const own = sums + <usize>(row - begin) * state;
      const from = z + ((<usize>(t * stepZ + row * rowZ)) << 2);
      const kept = h + ((<usize>(row * rowH)) << 2);
      for (let j = 0; j < hidden; j += 4) {
        const at = (<usize>j) << 2;
        const sum = f32x4.add(v128.load(from + at), v128.load(own + at));
        const v = activate(<i32>how.f, sum, how.clip, how.fAlpha, how.fBeta);
        storeState(kept, to, at, v, hidden - j);
      }
    }
  }
}
