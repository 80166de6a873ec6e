// What a query makes of one tile of codes: scores of its keys, shares, sums of its values. attention-int8.ts has the formulas.

import { codeMagic, codeShift } from "../int8/epilogue";
import { RELAXED } from "../int8/panels";
import { BLOCK, COLUMNS, KEYS, TILE } from "./attention-sizes";
import { scores8, storeQuery8, storeShares8, values8 } from "./attention-tiles8";
import {
  openTile,
  scores16,
  scoresOpen,
  storeQuery16,
  storeShares16,
  values16,
  valuesOpen,
} from "./attention-tiles16";

/** A block of a query's codes, i32, to 8 bytes of scratch. */
export function storeQuery(to: usize, codes: v128): void {
  if (RELAXED) storeQuery8(to, codes);
  else storeQuery16(to, codes);
}

/** Queries for which a tile is opened. */
const SHARED: i32 = 4;

/** Opens a tile of `bytes` codes in scratch where so many queries share it and this class has to widen codes: whether it did. */
export function opened(to: usize, tile: usize, bytes: i32, queries: i32): bool {
  if (RELAXED || queries < SHARED) return false;
  openTile(to, tile, bytes);
  return true;
}

/**
 * Scores of keys [begin, end) of the tile `k`, and of those beside them up to multiples of 16: f32(Σ q·k) · (factor · scales).
 * `isOpen`: the tile is opened.
 */
export function scores(
  to: usize,
  q: usize,
  factor: f32,
  k: usize,
  isOpen: bool,
  scales: usize,
  blocks: i32,
  begin: i32,
  end: i32,
): void {
  const by = f32x4.splat(factor);
  for (let j = begin & ~(KEYS - 1); j < end; j += KEYS) {
    const at = (<usize>j) << 2;
    if (RELAXED) scores8(to + at, q, k + <usize>(j * BLOCK), blocks);
    else if (isOpen) scoresOpen(to + at, q, k + <usize>(2 * j * BLOCK), blocks);
    else scores16(to + at, q, k + <usize>(j * BLOCK), blocks);
    for (let i = at; i < at + <usize>(KEYS * 4); i += 16) {
      const sums = f32x4.convert_i32x4_s(v128.load(to + i));
      v128.store(to + i, f32x4.mul(sums, f32x4.mul(by, v128.load(scales + i))));
    }
  }
}

/** Below it 127 / t overflows. */
const LEAST: f32 = 1.504632769052528e-36;

/**
 * Shares of a tile, w = e · scales, as u; returns their unit, t / 127. w is written over e. Scales of keys that are not seen, whose e is
 * 0, may be anything: what is no number counts as 0.
 */
export function shares(to: usize, e: usize, scales: usize): f32 {
  const zero = f32x4.splat(0);
  let m = zero;
  for (let i: usize = 0; i < <usize>(TILE * 4); i += 16) {
    const w = f32x4.mul(v128.load(e + i), v128.load(scales + i));
    v128.store(e + i, w);
    m = f32x4.pmax(m, w);
  }
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
  const most = f32x4.extract_lane(m, 0);
  const isNone = most < LEAST;
  const factor = f32x4.splat(isNone ? 0 : 127 / most);
  const magic = codeMagic();
  const shift = codeShift(0);
  for (let i: usize = 0; i < <usize>(TILE * 4); i += 32, to += RELAXED ? 8 : 16) {
    const a = f32x4.pmax(zero, f32x4.mul(v128.load(e + i), factor));
    const b = f32x4.pmax(zero, f32x4.mul(v128.load(e + i, 16), factor));
    const first = i32x4.sub(f32x4.add(a, magic), shift);
    const second = i32x4.sub(f32x4.add(b, magic), shift);
    if (RELAXED) storeShares8(to, first, second);
    else storeShares16(to, first, second);
  }
  return isNone ? 0 : most / 127;
}

/**
 * sums[c] += f32(Σ_j u[j]·v[j][c]) · unit over keys [begin, end) of the tile `v`, and those beside them up to multiples of 4, whose u
 * is 0. Sums of columns behind `size`, up to a multiple of 16, are anything.
 */
export function addValues(
  sums: usize,
  unit: f32,
  u: usize,
  v: usize,
  isOpen: bool,
  size: i32,
  begin: i32,
  end: i32,
): void {
  const by = f32x4.splat(unit);
  const wide: usize = isOpen ? 1 : 0;
  const step = (<usize>(size * BLOCK)) << wide;
  const first = <usize>(begin / BLOCK);
  const last = <usize>((end + BLOCK - 1) / BLOCK);
  for (let c = 0; c < size; c += COLUMNS, v += (COLUMNS * BLOCK) << wide, sums += COLUMNS * 4)
    if (RELAXED) values8(sums, by, u, v, step, first, last);
    else if (isOpen) valuesOpen(sums, by, u, v, step, first, last);
    else values16(sums, by, u, v, step, first, last);
}
