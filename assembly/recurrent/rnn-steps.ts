// The steps of plain recurrent layers, whatever multiplies the states.

import { Layer } from "./layer";
import { activateRow } from "./rows";
import { Product, Recurrence } from "./sizes";

/** The steps of rnn. sums f32 [rows][hidden]. */
export function rnnSteps<P extends Product>(product: P, sums: usize, layer: Layer): void {
  const begin = layer.begin;
  const end = layer.end;
  const hidden = layer.hidden;
  const how = changetype<Recurrence>(layer.how);
  const state = (<usize>hidden) << 2;
  layer.start(layer.h, layer.h0);
  for (let s = 0; s < layer.steps; s++) {
    product.multiply(sums, layer.h + layer.stateAt(begin), layer.rowH, end - begin);
    for (let row = begin; row < end; row++) {
      const length = layer.stepsOf(row);
      const t = layer.stepAt(s, length);
      const to = layer.y ? layer.y + layer.resultsAt(t, row) : 0;
      if (s >= length) {
        if (to) memory.fill(to, 0, state);
        continue;
      }
      const own = sums + <usize>(row - begin) * state;
      const from = layer.z + ((<usize>layer.gatesAt(t, row)) << 2);
      const kept = layer.h + layer.stateAt(row);
      activateRow(<i32>how.f, kept, from, own, hidden, how.clip, how.fAlpha, how.fBeta);
      if (to) memory.copy(to, kept, state);
    }
  }
}
