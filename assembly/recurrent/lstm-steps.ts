// The steps of long short-term memory, whatever multiplies the states.

import { storeWords } from "../lanes/simd";
import { activate, startStates, stepAt, stepsOf, storeState } from "./activate";
import { Product, Recurrence } from "./sizes";

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
  const clip = how.clip;
  const state = (<usize>hidden) << 2;
  const coupled = how.variant != 0;
  const fKind = <i32>how.f;
  const most = f32x4.splat(how.cellClip);
  const least = f32x4.neg(most);
  for (let j = 0; j < hidden; j += 4) {
    const at = (<usize>j) << 2;
    const count = hidden - j;
    const zi = z + at;
    const gi = gates + at;
    const before = v128.load(c + at);
    let i = f32x4.add(v128.load(zi), v128.load(gi));
    let o = f32x4.add(v128.load(zi + state), v128.load(gi + state));
    let f = f32x4.add(v128.load(zi + 2 * state), v128.load(gi + 2 * state));
    let g = f32x4.add(v128.load(zi + 3 * state), v128.load(gi + 3 * state));
    if (peepholes) {
      i = f32x4.add(i, f32x4.mul(v128.load(peepholes + at), before));
      f = f32x4.add(f, f32x4.mul(v128.load(peepholes + 2 * state + at), before));
    }
    i = activate(fKind, i, clip, how.fAlpha, how.fBeta);
    f = coupled ? f32x4.sub(f32x4.splat(1), i) : activate(fKind, f, clip, how.fAlpha, how.fBeta);
    g = activate(<i32>how.g, g, clip, how.gAlpha, how.gBeta);
    const whole = f32x4.add(f32x4.mul(f, before), f32x4.mul(i, g));
    const after = f32x4.max(f32x4.min(whole, most), least);
    if (peepholes) o = f32x4.add(o, f32x4.mul(v128.load(peepholes + state + at), after));
    o = activate(fKind, o, clip, how.fAlpha, how.fBeta);
    const out = f32x4.mul(o, activate(<i32>how.h, after, Infinity, how.hAlpha, how.hBeta));
    storeState(c, cell, at, after, count);
    storeState(h, y, at, out, count);
    if (cell) {
      storeWords(zi, i, count);
      storeWords(zi + state, o, count);
      storeWords(zi + 2 * state, f, count);
      storeWords(zi + 3 * state, g, count);
    }
  }
}
