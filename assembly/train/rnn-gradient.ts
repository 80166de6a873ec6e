// Gradients of plain recurrent layers: from the last step to the first, of their results.

import { gemm } from "../f32/gemm";
import { storeWords } from "../lanes/simd";
import { addRow } from "../recurrent/rows";
import { Recurrence } from "../recurrent/sizes";
import { startStates, stepAt, stepsOf } from "../recurrent/steps";
import { slope } from "./slope";

/**
 * z takes the gradients of what the function was given; before: h as it was in front of each step, of what rnn made, y [hidden] at t·stepZ + row·rowZ.
 * Other operands as lstmGradient has them. Range: rows. scratch: recurrentScratchBytes(rows, hidden, 2).
 */
export function rnnGradient(
  z: usize,
  before: usize,
  dh: usize,
  dy: usize,
  dhLast: usize,
  y: usize,
  rT: usize,
  lengths: usize,
  h0: usize,
  scratch: usize,
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
  const products = scratch + <usize>rows * state;
  const rest = products + <usize>rows * state;
  startStates(dh, dhLast, lengths, hidden, rowH, begin, end);
  for (let s = steps - 1; s >= 0; s--) {
    memory.fill(scratch, 0, <usize>rows * state);
    for (let row = begin; row < end; row++) {
      const length = stepsOf(lengths, row, steps);
      const t = stepAt(s, length, reverse);
      const at = (<usize>(t * stepZ + row * rowZ)) << 2;
      if (s >= length) {
        memory.fill(z + at, 0, state);
        memory.fill(before + at, 0, state);
        continue;
      }
      const place = (<usize>(row * rowH)) << 2;
      const last = (<usize>(stepAt(s - 1, length, reverse) * stepZ + row * rowZ)) << 2;
      if (s > 0) memory.copy(before + at, y + last, state);
      else if (h0) memory.copy(before + at, h0 + place, state);
      else memory.fill(before + at, 0, state);
      const from = dy ? dy + ((<usize>(t * stepY + row * rowY)) << 2) : 0;
      const to = scratch + <usize>(row - begin) * state;
      for (let j = 0; j < hidden; j += 4) {
        const k = (<usize>j) << 2;
        let d = v128.load(dh + place + k);
        if (from) d = f32x4.add(d, v128.load(from + k));
        d = f32x4.mul(d, slope(<i32>how.f, v128.load(y + at + k), how.fAlpha, how.fBeta));
        storeWords(z + at + k, d, hidden - j);
        storeWords(to + k, d, hidden - j);
        storeWords(dh + place + k, f32x4.splat(0), hidden - j);
      }
    }
    gemm(products, hidden, scratch, hidden, rT, 0, rest, hidden, hidden, -Infinity, Infinity, 0, rows);
    for (let row = 0; row < rows; row++)
      addRow(dh + ((<usize>((begin + row) * rowH)) << 2), products + <usize>row * state, hidden);
  }
}
