// What a cache of keys or values gets of each token: its row, as floats or as codes, at a place that goes round in a ring.

import { storeBytes8 } from "../lanes/simd";
import { codes4, scaleOf } from "./codes";

/** Row (position + t) mod length of state = x[t]: rows of `bytes`. Range: tokens t. */
export function cacheRows(
  state: usize,
  x: usize,
  bytes: i32,
  position: i32,
  length: i32,
  begin: i32,
  end: i32,
): void {
  for (let t = begin; t < end; t++)
    memory.copy(state + <usize>(((position + t) % length) * bytes), x + <usize>(t * bytes), bytes);
}

/**
 * The same as codes: state[place][g] = rne(x[t][g] / s), scales[place][g] = s = max |x[t][g]| / 127 (1 where that is no normal number),
 * place = (position + t) mod length. state i8 [length][groups][size], x f32 [tokens][groups][size]. Range: tokens · groups.
 */
export function cacheCodes(
  state: usize,
  scales: usize,
  x: usize,
  groups: i32,
  size: i32,
  position: i32,
  length: i32,
  begin: i32,
  end: i32,
): void {
  for (let r = begin; r < end; r++) {
    const t = r / groups;
    const place = ((position + t) % length) * groups + r - t * groups;
    const from = x + ((<usize>(r * size)) << 2);
    const to = state + <usize>(place * size);
    const scale = scaleOf(from, size);
    store<f32>(scales + ((<usize>place) << 2), scale);
    const s = f32x4.splat(scale);
    for (let i = 0; i < size; i += 4) {
      const words = i16x8.narrow_i32x4_s(codes4(from + ((<usize>i) << 2), s), i32x4.splat(0));
      const bytes = i8x16.narrow_i16x8_s(words, words);
      storeBytes8(to + <usize>i, <i64>i32x4.extract_lane(bytes, 0), min(4, size - i));
    }
  }
}
