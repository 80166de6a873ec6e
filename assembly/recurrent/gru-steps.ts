// The steps of gated recurrent units, whatever multiplies the states.

import { activateRow, Four, multiplyRow } from "./rows";
import { Product, Recurrence } from "./sizes";
import { startStates, stepAt, stepsOf } from "./steps";

/** The steps of gru for rows begin to end, of the products of its two gates and of its candidate. gates f32 [rows][4 · hidden]. */
export function gruSteps<P extends Product>(
  opening: P,
  renewing: P,
  gates: usize,
  y: usize,
  h: usize,
  saved: usize,
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
  const after = how.variant != 0;
  const rows = end - begin;
  const state = (<usize>hidden) << 2;
  const products = gates + <usize>rows * state * 2;
  const resets = products + <usize>rows * state;
  const own = h + ((<usize>(begin * rowH)) << 2);
  startStates(h, h0, lengths, hidden, rowH, begin, end);
  for (let s = 0; s < steps; s++) {
    opening.multiply(gates, own, rowH, rows);
    for (let row = 0; row < rows; row++) {
      const length = stepsOf(lengths, begin + row, steps);
      if (s >= length) continue;
      const t = stepAt(s, length, reverse);
      const from = z + ((<usize>(t * stepZ + (begin + row) * rowZ)) << 2);
      const gate = gates + <usize>row * state * 2;
      activateRow(<i32>how.f, gate, from, gate, hidden << 1, how.clip, how.fAlpha, how.fBeta);
      if (!after)
        multiplyRow(resets + <usize>row * state, gate + state, own + ((<usize>(row * rowH)) << 2), hidden);
    }
    const x = after ? own : resets;
    const ldx = after ? rowH : hidden;
    renewing.multiply(products, x, ldx, rows);
    for (let row = begin; row < end; row++) {
      const length = stepsOf(lengths, row, steps);
      const t = stepAt(s, length, reverse);
      const to = y ? y + ((<usize>(t * stepY + row * rowY)) << 2) : 0;
      if (s >= length) {
        if (to) memory.fill(to, 0, state);
        continue;
      }
      const at = t * stepZ + row * rowZ;
      const own = <usize>(row - begin) * state;
      const from = z + ((<usize>at) << 2);
      if (saved) {
        const kept = saved + ((<usize>(at / 3)) << 2);
        memory.copy(kept, (after ? products : resets) + own, state);
        memory.copy(from, gates + 2 * own, 2 * state);
      }
      const news = saved ? from + 2 * state : 0;
      const before = h + ((<usize>(row * rowH)) << 2);
      gruCell(to, before, news, from + 2 * state, gates + 2 * own, products + own, how);
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
