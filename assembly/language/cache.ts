// What a cache of keys or values gets of each token: its row as floats, or its codes in tiles of 32 tokens, at a place that goes round in
// a ring.
//
//   keys    | head 0 | head 1 | …, a tile of a head     d 0-3   | key 0: d0 d1 d2 d3 | key 1 | … | key 31 |   then d 4-7, …
//   values  | head 0 | head 1 | …                       key 0-3 | d 0: k0 k1 k2 k3   | d 1   | …             then keys 4-7, …
//   scales  | head 0 | head 1 | …                       | key 0 | key 1 | … | key 31 |
//
// So four codes that are multiplied by four neighbours lie together, and no sum goes across lanes but at its end.

import { head4 } from "../lanes/lanes";
import { BLOCK, keySizeOf, TILE } from "./attention-sizes";
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

/** Four codes as bytes, those from `count` on 0. */
function bytes4(x: usize, scale: v128, count: i32): v128 {
  const zero = i32x4.splat(0);
  const words = i16x8.narrow_i32x4_s(head4(codes4(x, scale), zero, count), zero);
  return i8x16.narrow_i16x8_s(words, words);
}

/**
 * codes[place][g] = rne(x[t][g] / s), scales[place][g] = s = max |x[t][g]| / 127 (1 where that is no normal number),
 * place = (position + t) mod length. x f32 [tokens][groups][size]; i8 and f32 tiles of keys of `length` tokens, a multiple of 32, zeros
 * behind a key up to a multiple of 4. Range: tokens · groups.
 */
export function cacheKeys(
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
    const g = r - t * groups;
    const place = (position + t) % length;
    const j = place & (TILE - 1);
    const from = x + ((<usize>(r * size)) << 2);
    const scale = scaleOf(from, size);
    store<f32>(scales + ((<usize>((place - j) * groups + g * TILE + j)) << 2), scale);
    const s = f32x4.splat(scale);
    let to = state + <usize>(((place - j) * groups + g * TILE) * keySizeOf(size) + j * BLOCK);
    for (let i = 0; i < size; i += BLOCK, to += TILE * BLOCK)
      v128.store32_lane(to, bytes4(from + ((<usize>i) << 2), s, size - i), 0);
  }
}

/** The same, in tiles of values. */
export function cacheValues(
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
    const g = r - t * groups;
    const place = (position + t) % length;
    const j = place & (TILE - 1);
    const from = x + ((<usize>(r * size)) << 2);
    const scale = scaleOf(from, size);
    store<f32>(scales + ((<usize>((place - j) * groups + g * TILE + j)) << 2), scale);
    const s = f32x4.splat(scale);
    const block = (j / BLOCK) * size * BLOCK;
    let to = state + <usize>(((place - j) * groups + g * TILE) * size + block + (j & (BLOCK - 1)));
    for (let i = 0; i < size; i += 4, to += 4 * BLOCK) {
      const codes = bytes4(from + ((<usize>i) << 2), s, 4);
      v128.store8_lane(to, codes, 0);
      if (i + 1 < size) v128.store8_lane(to, codes, 1, BLOCK);
      if (i + 2 < size) v128.store8_lane(to, codes, 2, 2 * BLOCK);
      if (i + 3 < size) v128.store8_lane(to, codes, 3, 3 * BLOCK);
    }
  }
}
