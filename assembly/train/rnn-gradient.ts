// Gradients of plain recurrent layers: from the last step to the first, of their results.

import { gemm } from "../f32/gemm";
import { storeWords } from "../lanes/simd";
import { layerAt } from "../recurrent/layer";
import { addRow } from "../recurrent/rows";
import { LAYER, Recurrence } from "../recurrent/sizes";
import { slope } from "./slope";

/**
 * z takes the gradients of what the function was given; before: h as it was in front of each step, of what rnn made, y as far on.
 * Other operands as lstmGradient has them. Range: rows, of `rows`. scratch: recurrentGradientScratchBytes(rows, hidden, 2, hidden).
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
  rows: i32,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Recurrence>(options);
  const layer = layerAt(scratch, options, z, dy, dh, dhLast, lengths, steps, rows, begin, end);
  const hidden = layer.hidden;
  const count = end - begin;
  const state = (<usize>hidden) << 2;
  const back = scratch + LAYER;
  const products = back + <usize>count * state;
  const rest = products + <usize>count * state;
  layer.start(dh, dhLast);
  for (let s = steps - 1; s >= 0; s--) {
    memory.fill(back, 0, <usize>count * state);
    for (let row = begin; row < end; row++) {
      const length = layer.stepsOf(row);
      const t = layer.stepAt(s, length);
      const at = (<usize>layer.gatesAt(t, row)) << 2;
      if (s >= length) {
        memory.fill(z + at, 0, state);
        memory.fill(before + at, 0, state);
        continue;
      }
      const place = layer.stateAt(row);
      const last = (<usize>layer.gatesAt(layer.stepAt(s - 1, length), row)) << 2;
      if (s > 0) memory.copy(before + at, y + last, state);
      else if (h0) memory.copy(before + at, h0 + place, state);
      else memory.fill(before + at, 0, state);
      const from = dy ? dy + layer.resultsAt(t, row) : 0;
      const to = back + <usize>(row - begin) * state;
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
    gemm(products, hidden, back, hidden, rT, 0, rest, hidden, hidden, -Infinity, Infinity, 0, count);
    for (let row = 0; row < count; row++)
      addRow(dh + layer.stateAt(begin + row), products + <usize>row * state, hidden);
  }
}
