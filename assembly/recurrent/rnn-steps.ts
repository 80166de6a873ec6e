// The steps of plain recurrent layers, whatever multiplies the states.

import { activateRow } from "./rows";
import { Product, Recurrence } from "./sizes";
import { startStates, stepAt, stepsOf } from "./steps";

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
      activateRow(<i32>how.f, kept, from, own, hidden, how.clip, how.fAlpha, how.fBeta);
      if (to) memory.copy(to, kept, state);
    }
  }
}
