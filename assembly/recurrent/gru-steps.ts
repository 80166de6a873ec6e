// The steps of gated recurrent units, whatever multiplies the states.

import { Layer } from "./layer";
import { activateRow, Four, multiplyRow } from "./rows";
import { Product, Recurrence } from "./sizes";

/** The steps of gru, of the products of its two gates and of its candidate. gates f32 [rows][4 · hidden]. */
export function gruSteps<P extends Product>(opening: P, renewing: P, gates: usize, layer: Layer): void {
  const begin = layer.begin;
  const end = layer.end;
  const hidden = layer.hidden;
  const saved = layer.saved;
  const z = layer.z;
  const how = changetype<Recurrence>(layer.how);
  const after = how.variant != 0;
  const rows = end - begin;
  const state = (<usize>hidden) << 2;
  const products = gates + <usize>rows * state * 2;
  const resets = products + <usize>rows * state;
  const first = layer.h + layer.stateAt(begin);
  layer.start(layer.h, layer.h0);
  for (let s = 0; s < layer.steps; s++) {
    opening.multiply(gates, first, layer.rowH, rows);
    for (let row = begin; row < end; row++) {
      const length = layer.stepsOf(row);
      if (s >= length) continue;
      const index = <usize>(row - begin) * state;
      const from = z + ((<usize>layer.gatesAt(layer.stepAt(s, length), row)) << 2);
      const gate = gates + 2 * index;
      activateRow(<i32>how.f, gate, from, gate, hidden << 1, how.clip, how.fAlpha, how.fBeta);
      if (!after) multiplyRow(resets + index, gate + state, layer.h + layer.stateAt(row), hidden);
    }
    renewing.multiply(products, after ? first : resets, after ? layer.rowH : hidden, rows);
    for (let row = begin; row < end; row++) {
      const length = layer.stepsOf(row);
      const t = layer.stepAt(s, length);
      const to = layer.y ? layer.y + layer.resultsAt(t, row) : 0;
      if (s >= length) {
        if (to) memory.fill(to, 0, state);
        continue;
      }
      const at = layer.gatesAt(t, row);
      const own = <usize>(row - begin) * state;
      const from = z + ((<usize>at) << 2);
      if (saved) {
        const kept = saved + ((<usize>(at / 3)) << 2);
        memory.copy(kept, (after ? products : resets) + own, state);
        memory.copy(from, gates + 2 * own, 2 * state);
      }
      const news = saved ? from + 2 * state : 0;
      gruCell(to, layer.h + layer.stateAt(row), news, from + 2 * state, gates + 2 * own, products + own, how);
    }
  }
}

/** The end of one step of one row, whose gates are open. */
function gruCell(
  y: usize,
  h: usize,
  news: usize,
  z: usize,
  gates: usize,
  products: usize,
  how: Recurrence,
): void {
  const hidden = <i32>how.hidden;
  const state = (<usize>hidden) << 2;
  if (how.variant != 0) multiplyRow(products, gates + state, products, hidden);
  activateRow(<i32>how.g, products, z, products, hidden, how.clip, how.gAlpha, how.gBeta);
  if (news) memory.copy(news, products, state);
  mix(h, gates, products, hidden);
  if (y) memory.copy(y, h, state);
}

/** h = (1 − u)·n + u·h. */
function mix(h: usize, u: usize, n: usize, count: i32): void {
  for (let j = 0; j < count; j += 4) {
    const at = (<usize>j) << 2;
    const update = v128.load(u + at);
    const own = f32x4.mul(f32x4.sub(f32x4.splat(1), update), v128.load(n + at));
    Four.store(h + at, f32x4.add(own, f32x4.mul(update, v128.load(h + at))), count - j);
  }
}
