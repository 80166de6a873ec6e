// The steps of long short-term memory, whatever multiplies the states.

import { Layer } from "./layer";
import { activateRow, addProducts, addRow, Four, multiplyRow } from "./rows";
import { Product, Recurrence } from "./sizes";

/** The steps of lstm. gates f32 [rows][4 · hidden]. */
export function lstmSteps<P extends Product>(product: P, gates: usize, layer: Layer): void {
  const begin = layer.begin;
  const end = layer.end;
  const hidden = layer.hidden;
  const n = hidden << 2;
  layer.start(layer.h, layer.h0);
  layer.start(layer.c, layer.c0);
  for (let s = 0; s < layer.steps; s++) {
    product.multiply(gates, layer.h + layer.stateAt(begin), layer.rowH, end - begin);
    for (let row = begin; row < end; row++) {
      const length = layer.stepsOf(row);
      const t = layer.stepAt(s, length);
      const to = layer.y ? layer.y + layer.resultsAt(t, row) : 0;
      if (s >= length) {
        if (to) memory.fill(to, 0, (<usize>hidden) << 2);
        continue;
      }
      lstmCell(layer, row, layer.gatesAt(t, row), to, gates + ((<usize>((row - begin) * n)) << 2));
    }
  }
}

/** One step of one row, whose gates of the inputs lie `place` elements on; y: 0 for none. */
function lstmCell(layer: Layer, row: i32, place: i32, y: usize, gates: usize): void {
  const hidden = layer.hidden;
  const peepholes = layer.peepholes;
  const how = changetype<Recurrence>(layer.how);
  const z = layer.z + ((<usize>place) << 2);
  const h = layer.h + layer.stateAt(row);
  const c = layer.c + layer.stateAt(row);
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
  if (layer.saved) {
    memory.copy(z, gates, state << 2);
    memory.copy(layer.saved + <usize>place, c, state);
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
