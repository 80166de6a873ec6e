// Gradients of long short-term memory: from the last step to the first, of what lstm keeps.

import { gemm } from "../f32/gemm";
import { storeWords } from "../lanes/simd";
import { layerAt } from "../recurrent/layer";
import { activateRow, addRow, multiplyRow } from "../recurrent/rows";
import { LAYER, Recurrence } from "../recurrent/sizes";
import { slope } from "./slope";

/**
 * z: the gates i, o, f, g that lstm kept become the gradients of what their functions were given, as cells [hidden] are each c; before: h as it was in
 * front of each step. dh and dc start as dhLast and dcLast, the gradients of the last states, and end as those of the first; dy may be 0, and so may
 * all that lstm may be without. rT: the recurrent weights, turned, from packWeights. Other operands as lstm has them. Range: rows, of `rows`. scratch:
 * recurrentGradientScratchBytes(rows, hidden, 5, 4 · hidden).
 */
export function lstmGradient(
  z: usize,
  before: usize,
  dh: usize,
  dc: usize,
  dy: usize,
  dhLast: usize,
  dcLast: usize,
  cells: usize,
  rT: usize,
  peepholes: usize,
  lengths: usize,
  h0: usize,
  c0: usize,
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
  const n = hidden << 2;
  const state = (<usize>hidden) << 2;
  const back = scratch + LAYER;
  const products = back + <usize>count * state * 4;
  const rest = products + <usize>count * state;
  layer.start(dh, dhLast);
  layer.start(dc, dcLast);
  for (let s = steps - 1; s >= 0; s--) {
    memory.fill(back, 0, <usize>count * state * 4);
    for (let row = begin; row < end; row++) {
      const length = layer.stepsOf(row);
      const t = layer.stepAt(s, length);
      const at = layer.gatesAt(t, row);
      const gates = z + ((<usize>at) << 2);
      const kept = before + <usize>at;
      if (s >= length) {
        memory.fill(gates, 0, state << 2);
        memory.fill(kept, 0, state);
        continue;
      }
      const place = layer.stateAt(row);
      const last = layer.gatesAt(layer.stepAt(s - 1, length), row);
      const cell = cells + <usize>at;
      const cellBefore = s > 0 ? cells + <usize>last : c0 ? c0 + place : 0;
      const gatesBefore = s > 0 ? z + ((<usize>last) << 2) : 0;
      const to = dy ? dy + layer.resultsAt(t, row) : 0;
      const start = h0 ? h0 + place : 0;
      const copy = back + <usize>(row - begin) * state * 4;
      lstmBefore(kept, cellBefore, gatesBefore, start, how);
      activateRow(<i32>how.h, copy, cell, 0, hidden, Infinity, how.hAlpha, how.hBeta);
      lstmBack(gates, dh + place, dc + place, to, copy, cell, cellBefore, peepholes, how);
      memory.copy(copy, gates, state << 2);
    }
    gemm(products, hidden, back, n, rT, 0, rest, hidden, n, -Infinity, Infinity, 0, count);
    for (let row = 0; row < count; row++)
      addRow(dh + layer.stateAt(begin + row), products + <usize>row * state, hidden);
  }
}

/** h in front of a step: that of the step before, or h0, or zeros. */
function lstmBefore(to: usize, cell: usize, gates: usize, h0: usize, how: Recurrence): void {
  const hidden = <i32>how.hidden;
  const state = (<usize>hidden) << 2;
  if (gates) {
    activateRow(<i32>how.h, to, cell, 0, hidden, Infinity, how.hAlpha, how.hBeta);
    multiplyRow(to, gates + state, to, hidden);
  } else if (h0) memory.copy(to, h0, state);
  else memory.fill(to, 0, state);
}

/**
 * One step of one row: dh and dc of the state after it become those of the state in front of it, dh without what comes of the product. shown: h(c)
 * of the cell.
 */
function lstmBack(
  z: usize,
  dh: usize,
  dc: usize,
  dy: usize,
  shown: usize,
  cell: usize,
  cellBefore: usize,
  p: usize,
  how: Recurrence,
): void {
  const hidden = <i32>how.hidden;
  const state = (<usize>hidden) << 2;
  const kind = <i32>how.f;
  const zero = f32x4.splat(0);
  const most = f32x4.splat(how.cellClip);
  for (let j = 0; j < hidden; j += 4) {
    const at = (<usize>j) << 2;
    const count = hidden - j;
    const zi = z + at;
    const i = v128.load(zi);
    const o = v128.load(zi + state);
    const f = v128.load(zi + 2 * state);
    const g = v128.load(zi + 3 * state);
    const c = v128.load(cell + at);
    const b = cellBefore ? v128.load(cellBefore + at) : zero;
    let dOut = v128.load(dh + at);
    if (dy) dOut = f32x4.add(dOut, v128.load(dy + at));
    const out = v128.load(shown + at);
    const dO = f32x4.mul(f32x4.mul(dOut, out), slope(kind, o, how.fAlpha, how.fBeta));
    let dC = f32x4.mul(f32x4.mul(dOut, o), slope(<i32>how.h, out, how.hAlpha, how.hBeta));
    dC = f32x4.add(v128.load(dc + at), dC);
    if (p) dC = f32x4.add(dC, f32x4.mul(v128.load(p + state + at), dO));
    dC = v128.and(dC, f32x4.lt(f32x4.abs(c), most));
    const slopeF = slope(kind, f, how.fAlpha, how.fBeta);
    const coupled = how.variant != 0;
    const dF = coupled ? zero : f32x4.mul(f32x4.mul(dC, b), slopeF);
    const pull = coupled ? f32x4.sub(g, b) : g;
    const dI = f32x4.mul(f32x4.mul(dC, pull), slope(kind, i, how.fAlpha, how.fBeta));
    const dG = f32x4.mul(f32x4.mul(dC, i), slope(<i32>how.g, g, how.gAlpha, how.gBeta));
    let dB = f32x4.mul(dC, f);
    if (p) {
      dB = f32x4.add(dB, f32x4.mul(v128.load(p + at), dI));
      dB = f32x4.add(dB, f32x4.mul(v128.load(p + 2 * state + at), dF));
    }
    storeWords(dc + at, dB, count);
    storeWords(dh + at, zero, count);
    storeWords(zi, dI, count);
    storeWords(zi + state, dO, count);
    storeWords(zi + 2 * state, dF, count);
    storeWords(zi + 3 * state, dG, count);
  }
}
