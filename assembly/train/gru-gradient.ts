// Gradients of gated recurrent units: from the last step to the first, of what gru keeps.

import { gemm } from "../f32/gemm";
import { storeWords } from "../lanes/simd";
import { layerAt } from "../recurrent/layer";
import { addRow } from "../recurrent/rows";
import { LAYER, Recurrence } from "../recurrent/sizes";
import { slope } from "./slope";

/**
 * z: the gates u, r and n that gru kept become the gradients of what their functions were given; saved: r·h stays, h·Rₙᵀ + biasₙ (options.variant 1)
 * becomes its gradient; before: h as it was in front of each step, of what gru made, y [hidden] a third as far on. dh as lstmGradient has it;
 * urT and nT: the recurrent weights of u and r, and of n, turned. Range: rows, of `rows`. scratch: recurrentGradientScratchBytes(rows, hidden, 4, 2 · hidden).
 */
export function gruGradient(
  z: usize,
  saved: usize,
  before: usize,
  dh: usize,
  dy: usize,
  dhLast: usize,
  y: usize,
  urT: usize,
  nT: usize,
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
  const after = how.variant != 0;
  const count = end - begin;
  const state = (<usize>hidden) << 2;
  const gates = scratch + LAYER;
  const news = gates + <usize>count * state * 2;
  const products = news + <usize>count * state;
  const rest = products + <usize>count * state;
  layer.start(dh, dhLast);
  for (let s = steps - 1; s >= 0; s--) {
    memory.fill(gates, 0, <usize>count * state * 3);
    for (let row = begin; row < end; row++) {
      const length = layer.stepsOf(row);
      const t = layer.stepAt(s, length);
      const at = layer.gatesAt(t, row);
      const own = z + ((<usize>at) << 2);
      const kept = (<usize>(at / 3)) << 2;
      if (s >= length) {
        memory.fill(own, 0, state * 3);
        memory.fill(saved + kept, 0, state);
        memory.fill(before + kept, 0, state);
        continue;
      }
      const place = layer.stateAt(row);
      const last = layer.gatesAt(layer.stepAt(s - 1, length), row) / 3;
      const h = s > 0 ? y + ((<usize>last) << 2) : h0 ? h0 + place : 0;
      if (h) memory.copy(before + kept, h, state);
      else memory.fill(before + kept, 0, state);
      const from = dy ? dy + layer.resultsAt(t, row) : 0;
      const index = <usize>(row - begin) * state;
      gruBack(own, saved + kept, before + kept, dh + place, from, gates + 2 * index, news + index, how);
    }
    gemm(products, hidden, news, hidden, nT, 0, rest, hidden, hidden, -Infinity, Infinity, 0, count);
    for (let row = begin; row < end; row++) {
      const length = layer.stepsOf(row);
      if (s >= length) continue;
      const index = <usize>(row - begin) * state;
      const to = dh + layer.stateAt(row);
      const at = layer.gatesAt(layer.stepAt(s, length), row);
      if (after) addRow(to, products + index, hidden);
      else {
        const h = before + ((<usize>(at / 3)) << 2);
        const reset = z + ((<usize>at) << 2) + state;
        gruReset(reset, gates + 2 * index + state, to, products + index, h, how);
      }
    }
    gemm(
      products,
      hidden,
      gates,
      hidden << 1,
      urT,
      0,
      rest,
      hidden,
      hidden << 1,
      -Infinity,
      Infinity,
      0,
      count,
    );
    for (let row = 0; row < count; row++)
      addRow(dh + layer.stateAt(begin + row), products + <usize>row * state, hidden);
  }
}

/** One step of one row, as far as it needs no product: where r multiplies h, its gradient waits for one. */
function gruBack(
  z: usize,
  saved: usize,
  before: usize,
  dh: usize,
  dy: usize,
  gates: usize,
  news: usize,
  how: Recurrence,
): void {
  const hidden = <i32>how.hidden;
  const state = (<usize>hidden) << 2;
  const after = how.variant != 0;
  const one = f32x4.splat(1);
  const kind = <i32>how.f;
  for (let j = 0; j < hidden; j += 4) {
    const at = (<usize>j) << 2;
    const count = hidden - j;
    const u = v128.load(z + at);
    const r = v128.load(z + state + at);
    const n = v128.load(z + 2 * state + at);
    const h = v128.load(before + at);
    let d = v128.load(dh + at);
    if (dy) d = f32x4.add(d, v128.load(dy + at));
    const dN = f32x4.mul(f32x4.mul(d, f32x4.sub(one, u)), slope(<i32>how.g, n, how.gAlpha, how.gBeta));
    const dU = f32x4.mul(f32x4.mul(d, f32x4.sub(h, n)), slope(kind, u, how.fAlpha, how.fBeta));
    storeWords(dh + at, f32x4.mul(d, u), count);
    storeWords(z + at, dU, count);
    storeWords(gates + at, dU, count);
    storeWords(z + 2 * state + at, dN, count);
    if (after) {
      const product = v128.load(saved + at);
      const dR = f32x4.mul(f32x4.mul(dN, product), slope(kind, r, how.fAlpha, how.fBeta));
      const dQ = f32x4.mul(dN, r);
      storeWords(z + state + at, dR, count);
      storeWords(gates + state + at, dR, count);
      storeWords(saved + at, dQ, count);
      storeWords(news + at, dQ, count);
    } else storeWords(news + at, dN, count);
  }
}

/** Of d, the gradient of r·h: r, which is there, becomes the gradient of what its function was given, and dh takes r·d. */
function gruReset(reset: usize, gates: usize, dh: usize, d: usize, h: usize, how: Recurrence): void {
  const hidden = <i32>how.hidden;
  for (let j = 0; j < hidden; j += 4) {
    const at = (<usize>j) << 2;
    const count = hidden - j;
    const r = v128.load(reset + at);
    const dRH = v128.load(d + at);
    storeWords(dh + at, f32x4.add(v128.load(dh + at), f32x4.mul(dRH, r)), count);
    const slopeR = slope(<i32>how.f, r, how.fAlpha, how.fBeta);
    const dR = f32x4.mul(f32x4.mul(dRH, v128.load(h + at)), slopeR);
    storeWords(reset + at, dR, count);
    storeWords(gates + at, dR, count);
  }
}
