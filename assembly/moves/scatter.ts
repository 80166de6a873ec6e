// Elements and rows put where computed indices say, in place of what lies there or reduced with it.

import { rowAt } from "../lanes/indices";
import { copyRun } from "../lanes/runs";
import { storeWords } from "../lanes/simd";

/** How an update meets an element: it takes its place, or both are reduced. */
const ADD = 1;
const MULTIPLY = 2;
const LEAST = 3;

/** a ∘ b, where `zero` is what a 0 is held as. */
function reduced<T extends number>(a: T, b: T, how: i32, zero: T): T {
  if (how == ADD) return <T>(a + b - zero);
  if (how == MULTIPLY) return isFloat<T>() ? <T>(a * b) : <T>((a - zero) * (b - zero) + zero);
  return how == LEAST ? min<T>(a, b) : max<T>(a, b);
}

/** y[i] = y[i] ∘ x[i], i < n. */
function reduceRun<T extends number>(y: usize, x: usize, n: i32, how: i32, zero: T): void {
  for (; n > 0; n--, y += sizeof<T>(), x += sizeof<T>())
    store<T>(y, reduced<T>(load<T>(y), load<T>(x), how, zero));
}

function addRun(y: usize, x: usize, n: i32): void {
  for (; n > 0; n -= 4, y += 16, x += 16) storeWords(y, f32x4.add(v128.load(y), v128.load(x)), n);
}

/**
 * y[places[i]] ∘= x[i], i ascending: rows of `cols` elements; places i32 [count], within y. `type`: 0 f32, 1 i32, 2 u8, 3 i8 (held
 * with 128 added). `how`: 0 takes the place, 1 adds, 2 multiplies, 3 takes the less, 4 the more. Range: rows of y.
 *
 * Integers keep their low bits.
 */
export function scatter(
  y: usize,
  x: usize,
  places: usize,
  type: i32,
  how: i32,
  count: i32,
  cols: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>cols) << (type < 2 ? 2 : 0);
  for (let i = 0; i < count; i++, x += bytes) {
    const place = load<i32>(places + ((<usize>i) << 2));
    if (place < begin || place >= end) continue;
    const to = y + <usize>place * bytes;
    if (how == 0) copyRun(to, x, <i32>bytes);
    else if (type == 0 && how == ADD) addRun(to, x, cols);
    else if (type == 0) reduceRun<f32>(to, x, cols, how, 0);
    else if (type == 1) reduceRun<i32>(to, x, cols, how, 0);
    else reduceRun<u8>(to, x, cols, how, type == 3 ? 128 : 0);
  }
}

/** scatterElements for the lines of one o, from i = first to last. */
function scatterLines<T extends number>(
  y: usize,
  x: usize,
  indices: usize,
  extent: i32,
  count: i32,
  inner: i32,
  how: i32,
  zero: T,
  first: i32,
  last: i32,
): void {
  for (let k = 0; k < count; k++) {
    for (let i = first; i < last; i++) {
      const at = <usize>(k * inner + i);
      const row = rowAt(load<i32>(indices + (at << 2)), extent);
      const to = y + <usize>(row * inner + i) * sizeof<T>();
      const update = load<T>(x + at * sizeof<T>());
      store<T>(to, how == 0 ? update : reduced<T>(load<T>(to), update, how, zero));
    }
  }
}

/**
 * y[o, indices[o, k, i], i] ∘= x[o, k, i], k ascending: x and indices (i32) [outer][count][inner], y [outer][extent][inner]; `type` and
 * `how` as for scatter. Range: lines, outer · inner. Indices are read as gather reads them.
 */
export function scatterElements(
  y: usize,
  x: usize,
  indices: usize,
  type: i32,
  how: i32,
  extent: i32,
  count: i32,
  inner: i32,
  begin: i32,
  end: i32,
): void {
  const size = <usize>(type < 2 ? 4 : 1);
  while (begin < end) {
    const o = begin / inner;
    const first = begin - o * inner;
    const last = min(inner, first + end - begin);
    const to = y + <usize>(o * extent * inner) * size;
    const from = x + <usize>(o * count * inner) * size;
    const at = indices + ((<usize>(o * count * inner)) << 2);
    if (type == 0) scatterLines<f32>(to, from, at, extent, count, inner, how, 0, first, last);
    else if (type == 1) scatterLines<i32>(to, from, at, extent, count, inner, how, 0, first, last);
    else scatterLines<u8>(to, from, at, extent, count, inner, how, type == 3 ? 128 : 0, first, last);
    begin += last - first;
  }
}

/**
 * y[b, h, starts[b] + t] = x[b, h, t]: y [batch][outer][extent] and x [batch][outer][count], rows of `bytes`; starts i32 [batch], or null
 * for 0. Past the end, `circular` goes on at the beginning; else there is nothing to write to. Range: batch · outer.
 */
export function scatterRuns(
  y: usize,
  x: usize,
  starts: usize,
  outer: i32,
  extent: i32,
  count: i32,
  bytes: i32,
  circular: i32,
  begin: i32,
  end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const start = starts ? load<i32>(starts + ((<usize>(r / outer)) << 2)) : 0;
    for (let t = 0; t < count; t++) {
      let at = <i64>start + t;
      if (circular) at = ((at % extent) + extent) % extent;
      else if (at < 0 || at >= extent) continue;
      const to = y + (<usize>(r * extent) + <usize>at) * bytes;
      copyRun(to, x + <usize>(r * count + t) * bytes, bytes);
    }
  }
}
