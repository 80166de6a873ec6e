// The steps of long short-term memory, whatever multiplies the states.

import { activateRow, addProducts, addRow, Four, multiplyRow } from "./rows";
import { Product, Recurrence } from "./sizes";
import { startStates, stepAt, stepsOf } from "./steps";

/** The steps of lstm for rows begin to end. gates f32 [rows][4 · hidden]. */
export function lstmSteps<P extends Product>(
  product: P,
  gates: usize,
  y: usize,
  h: usize,
  c: usize,
  cells: usize,
  z: usize,
  peepholes: usize,
  lengths: usize,
  h0: usize,
  c0: usize,
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
  const n = hidden << 2;
  const first = (<usize>(begin * rowH)) << 2;
  startStates(h, h0, lengths, hidden, rowH, begin, end);
  startStates(c, c0, lengths, hidden, rowH, begin, end);
  for (let s = 0; s < steps; s++) {
    product.multiply(gates, h + first, rowH, rows);
    for (let row = begin; row < end; row++) {
      const length = stepsOf(lengths, row, steps);
      const t = stepAt(s, length, reverse);
      const to = y ? y + ((<usize>(t * stepY + row * rowY)) << 2) : 0;
      if (s >= length) {
        if (to) memory.fill(to, 0, (<usize>hidden) << 2);
        continue;
      }
      const own = gates + ((<usize>((row - begin) * n)) << 2);
      const state = (<usize>(row * rowH)) << 2;
      const at = t * stepZ + row * rowZ;
      const cell = cells ? cells + <usize>at : 0;
      lstmCell(to, h + state, c + state, cell, z + ((<usize>at) << 2), own, peepholes, how);
    }
  }
}

/** One step of one row. */
function lstmCell(
  y: usize,
  h: usize,
  c: usize,
  cell: usize,
  z: usize,
  gates: usize,
  peepholes: usize,
  how: Recurrence,
): void {
  const hidden = <i32>how.hidden;
  const state = (<usize>hidden) << 2;
  const coupled = how.variant != 0;
  const output = gates + state;
  const forget = output + state;
  const news = forget + state;
  if (peepholes) {
    addRow(gates, z, hidden << 2);
    addProducts(gates, peepholes, c, hidden);
    addProducts(forget, peepholes + 2 * state, c, hidden);
    open(gates, 0, hidden, how);
    if (!coupled) open(forget, 0, hidden, how);
  } else open(gates, z, coupled ? hidden << 1 : hidden * 3, how);
  const sums = peepholes ? 0 : z + 3 * state;
  activateRow(<i32>how.g, news, news, sums, hidden, how.clip, how.gAlpha, how.gBeta);
  if (coupled) subtractFromOne(forget, gates, hidden);
  renew(c, gates, forget, news, hidden, how.cellClip);
  if (peepholes) {
    addProducts(output, peepholes + state, c, hidden);
    open(output, 0, hidden, how);
  }
  if (cell) {
    memory.copy(z, gates, state << 2);
    memory.copy(cell, c, state);
  }
  activateRow(<i32>how.h, news, c, 0, hidden, Infinity, how.hAlpha, how.hBeta);
  multiplyRow(h, output, news, hidden);
  if (y) memory.copy(y, h, state);
}

/** gates = f(gates + z). */
function open(gates: usize, z: usize, count: i32, how: Recurrence): void {
  activateRow(<i32>how.f, gates, gates, z, count, how.clip, how.fAlpha, how.fBeta);
}

/** to = 1 − from. */
function subtractFromOne(to: usize, from: usize, count: i32): void {
  for (let j = 0; j < count; j += 4) {
    const at = (<usize>j) << 2;
    Four.store(to + at, f32x4.sub(f32x4.splat(1), v128.load(from + at)), count - j);
  }
}

/** c = f·c + i·g, within ±clip. */
function renew(c: usize, i: usize, f: usize, g: usize, count: i32, clip: f32): void {
  const most = f32x4.splat(clip);
  const least = f32x4.neg(most);
  for (let j = 0; j < count; j += 4) {
    const at = (<usize>j) << 2;
    const kept = f32x4.mul(v128.load(f + at), v128.load(c + at));
    const whole = f32x4.add(kept, f32x4.mul(v128.load(i + at), v128.load(g + at)));
    Four.store(c + at, f32x4.max(f32x4.min(whole, most), least), count - j);
  }
}
