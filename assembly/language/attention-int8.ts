// Attention over codes: keys, values and queries are i8 with a scale a token and head. Products of codes are exact in i32, so that
// nothing depends on what is done together:
//
//   score    f32(Σ_d q[d]·k[d]) · (f32(s_q · scale) · s_k)
//   share    w[j] = e^(score − largest) · s_v[j], rounded to 0..127 in the unit of its tile: u = rne(w · (127 / t)), t the largest w
//   value    Σ_tiles f32(Σ_j u[j]·v[j]) · (t / 127), tiles of 32 keys at multiples of 32, ascending; divided by Σ_j e[j]
//
// Key 0 may hold most of the mass. It is outside of its tile: w[0]·v[0] is added first, in f32. A tile with t below 2^-119 adds nothing.
// A range of rows meets a tile while it is in the cache, and a head's part of a tile lies in one piece, so that a decoded token reads its
// cache once in the order in which it lies.

import { head4 } from "../lanes/lanes";
import { addValues, opened, scores, shares, storeQuery } from "./attention-int8-tiles";
import { finish, Row, see, softmaxOf } from "./attention-rows";
import {
  BLOCK,
  columnsOf,
  Heads,
  keySizeOf,
  openTileBytes,
  queryCodes,
  ROW,
  ROWS,
  SHARES,
  scoresOf,
  TILE,
} from "./attention-sizes";
import { codes4, scaleOf } from "./codes";

/** Codes of a query, zeros up to whole blocks; returns their scale. */
function encode(to: usize, q: usize, size: i32): f32 {
  const zero = i32x4.splat(0);
  const scale = scaleOf(q, size);
  const s = f32x4.splat(scale);
  for (let i = 0; i < size; i += BLOCK, to += 8, q += 16) storeQuery(to, head4(codes4(q, s), zero, size - i));
  return scale;
}

/** Whether the row before is of another head of keys. */
function isFirst(row: Row, i: i32): bool {
  return i == 0 || changetype<Row>(changetype<usize>(row) - <usize>ROW).group != row.group;
}

/** Rows from this one on, of `left`, that have its head of keys. */
function sharing(row: Row, left: i32): i32 {
  let n = 1;
  while (n < left && changetype<Row>(changetype<usize>(row) + <usize>(n * ROW)).group == row.group) n++;
  return n;
}

/** sums[c] = w · v[c]: key 0, the first of its tile `v`, whose share in that is 0 then. */
function keyZero(sums: usize, size: i32, e: usize, scale: f32, v: usize): void {
  const w = f32x4.splat(load<f32>(e) * scale);
  store<f32>(e, 0);
  for (let c = 0; c < size; c += 4, sums += 16, v += 16) {
    const codes = i32x4.shr_s(i32x4.shl(v128.load(v), 24), 24);
    v128.store(sums, f32x4.mul(w, f32x4.convert_i32x4_s(codes)));
  }
}

/**
 * y[t][h] = Σ_j softmax_j(scale·q[t][h]·k[j])·v[j] over codes, with the keys that token t sees: those up to its own position, offset + t.
 * Rows r = head·tokens + t. Range: rows.
 *
 * q, y f32 [tokens][heads][size]; keys, values and their scales are tiles of cacheKeys and cacheValues, of `length` tokens; valueSize of
 * y and values. form: Heads, flat. Key j lies at place j mod length. softcap: softmaxOf. mask 0: none; else f32
 * [heads][maskKeys], what is added to scores of key j. scratch: attentionInt8ScratchBytes.
 */
export function attentionInt8(
  y: usize,
  q: usize,
  keys: usize,
  keyScales: usize,
  values: usize,
  valueScales: usize,
  mask: usize,
  form: usize,
  scratch: usize,
  tokens: i32,
  length: i32,
  maskKeys: i32,
  offset: i32,
  scale: f32,
  softcap: f32,
  begin: i32,
  end: i32,
): void {
  const how = changetype<Heads>(form);
  const heads = how.heads;
  const groups = how.groups;
  const size = how.size;
  const valueSize = how.valueSize;
  const columns = columnsOf(valueSize);
  const ld = (<usize>scoresOf(length)) << 2;
  const sums = scratch + <usize>(ROWS * ROW);
  const queries = sums + ((<usize>(ROWS * columns)) << 2);
  const pitch = queryCodes(size);
  const units = queries + <usize>(ROWS * pitch);
  const open = units + <usize>SHARES;
  const all = open + <usize>openTileBytes(size, valueSize);
  const blocks = keySizeOf(size) / BLOCK;
  const keyStep = <usize>(groups * keySizeOf(size));
  const valueStep = <usize>(groups * valueSize);
  const scaleStep = (<usize>groups) << 2;
  const seen = offset + tokens;
  for (let r = begin; r < end; r += ROWS) {
    const count = min(ROWS, end - r);
    let from = seen;
    let to = 0;
    for (let i = 0; i < count; i++) {
      const row = changetype<Row>(scratch + <usize>(i * ROW));
      const head = (r + i) / tokens;
      const t = r + i - head * tokens;
      const place = t * heads + head;
      row.group = head / (heads / groups);
      row.q = queries + <usize>(i * pitch);
      row.scale = encode(row.q, q + ((<usize>(place * size)) << 2), size) * scale;
      row.y = y + ((<usize>(place * valueSize)) << 2);
      row.k = keys + <usize>(row.group * keySizeOf(size) * TILE);
      row.v = values + <usize>(row.group * valueSize * TILE);
      row.mask = mask ? mask + ((<usize>(head * maskKeys)) << 2) : 0;
      row.output = 0;
      see(row, t, offset, seen, how.left, 0);
      from = min(from, row.from);
      to = max(to, row.to);
    }
    const first = from & ~(TILE - 1);
    for (let tile = first; tile < to; tile += TILE) {
      const start = <usize>(tile % length);
      const scales = keyScales + start * scaleStep;
      let isOpen: bool = false;
      for (let i = 0; i < count; i++) {
        const row = changetype<Row>(scratch + <usize>(i * ROW));
        const at = row.k + start * keyStep;
        if (isFirst(row, i)) isOpen = opened(open, at, TILE * keySizeOf(size), sharing(row, count - i));
        const a = max(0, row.from - tile);
        const b = min(TILE, row.to - tile);
        if (a >= b) continue;
        const own = all + <usize>i * ld + ((<usize>(tile - first)) << 2);
        const s = scales + <usize>(row.group * TILE * 4);
        scores(own, row.q, row.scale, isOpen ? open : at, isOpen, s, blocks, a, b);
      }
    }
    memory.fill(sums, 0, (<usize>(count * columns)) << 2);
    for (let i = 0; i < count; i++) {
      const row = changetype<Row>(scratch + <usize>(i * ROW));
      const own = all + <usize>i * ld;
      // Whole tiles, zeros where the row sees nothing.
      const begin = (row.from - first) & ~(TILE - 1);
      const end = (row.to - first + TILE - 1) & ~(TILE - 1);
      softmaxOf(row, own, first, begin, end, softcap, maskKeys, 0, 0, 0);
      if (row.from > 0) continue;
      const zero = load<f32>(valueScales + <usize>(row.group * TILE * 4));
      keyZero(sums + ((<usize>(i * columns)) << 2), valueSize, own, zero, row.v);
    }
    for (let tile = first; tile < to; tile += TILE) {
      const start = <usize>(tile % length);
      const scales = valueScales + start * scaleStep;
      let isOpen: bool = false;
      for (let i = 0; i < count; i++) {
        const row = changetype<Row>(scratch + <usize>(i * ROW));
        const at = row.v + start * valueStep;
        if (isFirst(row, i)) isOpen = opened(open, at, TILE * valueSize, sharing(row, count - i));
        const a = max(0, row.from - tile);
        const b = min(TILE, row.to - tile);
        if (a >= b) continue;
        const own = all + <usize>i * ld + ((<usize>(tile - first)) << 2);
        const unit = shares(units, own, scales + <usize>(row.group * TILE * 4));
        const sum = sums + ((<usize>(i * columns)) << 2);
        addValues(sum, unit, units, isOpen ? open : at, isOpen, valueSize, a, b);
      }
    }
    for (let i = 0; i < count; i++)
      finish(changetype<Row>(scratch + <usize>(i * ROW)), sums + ((<usize>(i * columns)) << 2), valueSize);
  }
}
