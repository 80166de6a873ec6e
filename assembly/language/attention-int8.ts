// Attention over codes: keys, values and queries are i8 with a scale a token and head. Products of codes are exact in i32, so that
// nothing depends on what is done together:
//
//   score    f32(Σ_d q[d]·k[d]) · (f32(s_q · scale) · s_k)
//   share    w[j] = e^(score − largest) · s_v[j], rounded to 0..127 in the unit of its tile: u = rne(w · (127 / t)), t the largest w
//   value    Σ_tiles f32(Σ_j u[j]·v[j]) · (t / 127), tiles of 32 keys at multiples of 32, ascending; divided by Σ_j e[j]
//
// Key 0 may hold most of the mass. It is outside of its tile: w[0]·v[0] is added first, in f32. A tile with t below 2^-119 adds nothing.
// The instructions are those that every engine has: a decoded token is bound by memory, and a chunk of tokens reads each key for four
// queries at once.

import { head4 } from "../lanes/lanes";
import { scores1, scores4, shares, turn, values1, values4 } from "./attention-int8-tiles";
import { finish, firstOf, lastOf, Row, see, softmaxOf, together, touch } from "./attention-rows";
import { columnsOf, queryCodes, ROW, ROWS, SCALES, SHARES, scoresOf, TILE } from "./attention-sizes";
import { codes4, scaleOf } from "./codes";

/** Codes of a query as i16, zeros up to a multiple of 16; returns their scale. */
function encode(to: usize, q: usize, size: i32): f32 {
  const zero = i32x4.splat(0);
  const scale = scaleOf(q, size);
  const s = f32x4.splat(scale);
  memory.fill(to, 0, queryCodes(size));
  for (let i = 0; i < size; i += 4, to += 8, q += 16) {
    const codes = head4(codes4(q, s), zero, size - i);
    v128.store64_lane(to, i16x8.narrow_i32x4_s(codes, zero), 0);
  }
  return scale;
}

/** sums[c] = w · v[c]: key 0, whose share in its tile is 0 then. */
function keyZero(sums: usize, columns: i32, e: usize, scale: f32, v: usize): void {
  const w = f32x4.splat(load<f32>(e) * scale);
  store<f32>(e, 0);
  for (let c = 0; c < columns; c += 4, sums += 16, v += 4) {
    const codes = i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(v)));
    v128.store(sums, f32x4.mul(w, f32x4.convert_i32x4_s(codes)));
  }
}

/**
 * y[t][h] = Σ_j softmax_j(scale·q[t][h]·k[j])·v[j] over codes, with the keys that token t sees: those up to its own position, offset + t,
 * and from `left` before it on (−1: all). Rows r = head·tokens + t. Range: rows.
 *
 * q, y f32 [tokens][heads][size]; keys, values i8 [length][groups][size], their scales f32 [length][groups]; valueSize of y and values.
 * heads / groups heads share keys and values. Key j lies at place j mod length, a multiple of 32 where there are more. softcap:
 * softmaxOf. scratch: attentionInt8ScratchBytes.
 */
export function attentionInt8(
  y: usize,
  q: usize,
  keys: usize,
  keyScales: usize,
  values: usize,
  valueScales: usize,
  scratch: usize,
  tokens: i32,
  length: i32,
  heads: i32,
  groups: i32,
  size: i32,
  valueSize: i32,
  offset: i32,
  left: i32,
  scale: f32,
  softcap: f32,
  begin: i32,
  end: i32,
): void {
  const columns = columnsOf(valueSize);
  const ld = (<usize>scoresOf(length)) << 2;
  const sums = scratch + <usize>(ROWS * ROW);
  const queries = sums + ((<usize>(ROWS * columns)) << 2);
  const pitch = queryCodes(size);
  const scales = queries + <usize>ROWS * pitch;
  const units = scales + <usize>SCALES;
  const read = units + <usize>SHARES;
  const scores = read + 16;
  const keyStep = <usize>(groups * size);
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
      row.q = queries + <usize>i * pitch;
      row.scale = encode(row.q, q + ((<usize>(place * size)) << 2), size) * scale;
      row.y = y + ((<usize>(place * valueSize)) << 2);
      row.k = keys + <usize>(row.group * size);
      row.v = values + <usize>(row.group * valueSize);
      row.mask = 0;
      row.output = 0;
      see(row, t, offset, seen, left, 0);
      from = min(from, row.from);
      to = max(to, row.to);
    }
    const first = from & ~(TILE - 1);
    const one = changetype<Row>(scratch);
    const other = changetype<Row>(scratch + <usize>((count - 1) * ROW));
    const own = other.group - one.group + 1;
    const firstScale = (<usize>one.group) << 2;
    for (let tile = first; tile < to; tile += TILE) {
      const start = <usize>(tile % length);
      const n = min(TILE, to - tile);
      v128.store(read, touch(one.k + start * keyStep, other.k - one.k + <usize>size, keyStep, n));
      turn(scales, keyScales + start * scaleStep + firstScale, own, scaleStep, n);
      for (let i = 0, n = 0; i < count; i += n) {
        const at = scratch + <usize>(i * ROW);
        n = together(at, count - i);
        const a = firstOf(at, n, tile);
        const b = lastOf(at, n, tile + TILE);
        if (a >= b) continue;
        const row = changetype<Row>(at);
        const key = row.k + (start + <usize>(a - tile)) * keyStep;
        const own = scores + <usize>i * ld + ((<usize>(a - first)) << 2);
        const s = scales + ((<usize>((row.group - one.group) * TILE + a - tile)) << 2);
        if (n == 4) scores4(own, ld, at, key, keyStep, s, b - a, size);
        else scores1(own, row, key, keyStep, s, b - a, size);
      }
    }
    memory.fill(sums, 0, (<usize>(count * columns)) << 2);
    for (let i = 0; i < count; i++) {
      const row = changetype<Row>(scratch + <usize>(i * ROW));
      const own = scores + <usize>i * ld;
      // Whole tiles, zeros where the row sees nothing.
      const begin = (row.from - first) & ~(TILE - 1);
      const end = (row.to - first + TILE - 1) & ~(TILE - 1);
      softmaxOf(row, own, first, begin, end, softcap, 0, 0, 0, 0);
      if (row.from > 0) continue;
      const zero = load<f32>(valueScales + ((<usize>row.group) << 2));
      keyZero(sums + ((<usize>(i * columns)) << 2), columns, own, zero, row.v);
    }
    for (let tile = first; tile < to; tile += TILE) {
      const start = <usize>(tile % length);
      const n = min(TILE, to - tile);
      v128.store(read, touch(one.v + start * valueStep, other.v - one.v + <usize>valueSize, valueStep, n));
      turn(scales, valueScales + start * scaleStep + firstScale, own, scaleStep, n);
      for (let i = 0, n = 0; i < count; i += n) {
        const at = scratch + <usize>(i * ROW);
        n = together(at, count - i);
        const a = firstOf(at, n, tile);
        const b = lastOf(at, n, tile + TILE);
        if (a >= b) continue;
        const row = changetype<Row>(at);
        const s = scales + <usize>((row.group - one.group) * TILE * 4);
        for (let j = 0; j < n; j++) {
          const own = changetype<Row>(at + <usize>(j * ROW));
          const u = units + <usize>(j * TILE * 2);
          const e = scores + <usize>(i + j) * ld + ((<usize>(tile - first)) << 2);
          if (own.from < tile + TILE && own.to > tile) own.unit = shares(u, e, s);
          else {
            own.unit = 0;
            memory.fill(u, 0, TILE * 2);
          }
        }
        // Pairs begin at even keys.
        const even = <usize>(a - tile) & ~1;
        const value = row.v + (start + even) * valueStep;
        const u = units + (even << 1);
        const keysLeft = b - tile - <i32>even;
        const sum = sums + ((<usize>(i * columns)) << 2);
        if (n == 4) values4(sum, columns, at, u, value, valueStep, keysLeft);
        else values1(sum, columns, row.unit, u, value, valueStep, keysLeft);
      }
    }
    for (let i = 0; i < count; i++)
      finish(changetype<Row>(scratch + <usize>(i * ROW)), sums + ((<usize>(i * columns)) << 2), valueSize);
  }
}
