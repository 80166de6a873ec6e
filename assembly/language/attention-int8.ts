// Attention over codes: keys, values and queries are i8 with a scale a token and head. Products of codes are exact in i32, so that
// nothing depends on what is done together:
//
//   score    f32(Σ_d q[d]·k[d]) · (f32(s_q · scale) · s_k)
//   share    w[j] = e^(score − largest) · s_v[j], rounded to 0..127 in the unit of its tile: u = rne(w · (127 / t)), t the largest w
//   value    Σ_tiles f32(Σ_j u[j]·v[j]) · (t / 127), tiles of 32 keys at multiples of 32, ascending; divided by Σ_j e[j]
//
// Key 0, which may hold most of the mass, is no part of its tile: w[0]·v[0] in f32 comes first. A tile whose t is below 2^-119 is none.
// The instructions are those that every engine has: a decoded token is bound by memory, and a chunk of tokens reads each key for four
// queries at once.

import { head4 } from "../lanes/lanes";
import { zipHigh16, zipHigh32, zipLow16, zipLow32 } from "../lanes/simd";
import { finish, firstOf, lastOf, Row, see, softmaxOf, together } from "./attention-rows";
import { columnsOf, queryCodes, ROW, ROWS, scoresOf, TILE } from "./attention-sizes";
import { codes4, scaleOf } from "./codes";

/** Codes of a query as i16, zeros up to a multiple of 8; returns their scale. */
function encode(to: usize, q: usize, size: i32): f32 {
  const zero = i32x4.splat(0);
  const scale = scaleOf(q, size);
  const s = f32x4.splat(scale);
  for (let i = 0; i < size; i += 8, to += 16, q += 32) {
    const low = head4(codes4(q, s), zero, size - i);
    v128.store(to, i16x8.narrow_i32x4_s(low, head4(codes4(q + 16, s), zero, size - i - 4)));
  }
  return scale;
}

/** to[j] = one of `count` f32 that lie `step` bytes apart. */
function gathered(to: usize, from: usize, step: usize, count: i32): void {
  for (let j = 0; j < count; j++, to += 4, from += step) store<f32>(to, load<f32>(from));
}

/** The sums of the lanes of four vectors. */
function sums4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(zipLow32(a, b), zipHigh32(a, b));
  const cd = i32x4.add(zipLow32(c, d), zipHigh32(c, d));
  return i32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

/** Sums of products that become scores. */
function scaled(sums: v128, factor: v128, scales: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(sums), f32x4.mul(factor, scales));
}

/** Scores of one query and `count` keys, `step` bytes apart, four at a time; up to three more are written. */
function scores1(to: usize, row: Row, k: usize, step: usize, scales: usize, count: i32, size: i32): void {
  const zero = i32x4.splat(0);
  const factor = f32x4.splat(row.scale);
  const last = k + <usize>(count - 1) * step;
  const q = row.q;
  for (let j = 0; j < count; j += 4, k += 4 * step, to += 16, scales += 16) {
    const k1 = min(k + step, last);
    const k2 = min(k + 2 * step, last);
    const k3 = min(k + 3 * step, last);
    let a = zero;
    let b = zero;
    let c = zero;
    let d = zero;
    for (let i: usize = 0; i < <usize>size; i += 8) {
      const x = v128.load(q + (i << 1));
      a = i32x4.add(a, i32x4.dot_i16x8_s(x, v128.load8x8_s(k + i)));
      b = i32x4.add(b, i32x4.dot_i16x8_s(x, v128.load8x8_s(k1 + i)));
      c = i32x4.add(c, i32x4.dot_i16x8_s(x, v128.load8x8_s(k2 + i)));
      d = i32x4.add(d, i32x4.dot_i16x8_s(x, v128.load8x8_s(k3 + i)));
    }
    v128.store(to, scaled(sums4(a, b, c, d), factor, v128.load(scales)));
  }
}

/** The same of four queries, whose scores are `ld` bytes apart, two keys at a time; up to one more is written. */
function scores4(
  to: usize,
  ld: usize,
  row: usize,
  k: usize,
  step: usize,
  scales: usize,
  count: i32,
  size: i32,
): void {
  const zero = i32x4.splat(0);
  const pitch = queryCodes(size);
  const first = changetype<Row>(row);
  const q0 = first.q;
  const q1 = q0 + pitch;
  const q2 = q1 + pitch;
  const q3 = q2 + pitch;
  const f0 = f32x4.splat(first.scale);
  const f1 = f32x4.splat(changetype<Row>(row + ROW).scale);
  const f2 = f32x4.splat(changetype<Row>(row + 2 * ROW).scale);
  const f3 = f32x4.splat(changetype<Row>(row + 3 * ROW).scale);
  const low = i64x2.shuffle(f0, f1, 0, 2);
  const high = i64x2.shuffle(f2, f3, 0, 2);
  for (let j = 0; j < count; j += 2, k += 2 * step, to += 8, scales += 8) {
    const next = j + 1 < count ? k + step : k;
    let a0 = zero;
    let a1 = zero;
    let b0 = zero;
    let b1 = zero;
    let c0 = zero;
    let c1 = zero;
    let d0 = zero;
    let d1 = zero;
    for (let i: usize = 0; i < <usize>size; i += 8) {
      const x0 = v128.load8x8_s(k + i);
      const x1 = v128.load8x8_s(next + i);
      let q = v128.load(q0 + (i << 1));
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(q, x0));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(q, x1));
      q = v128.load(q1 + (i << 1));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(q, x0));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(q, x1));
      q = v128.load(q2 + (i << 1));
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q, x0));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q, x1));
      q = v128.load(q3 + (i << 1));
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(q, x0));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(q, x1));
    }
    const s = v128.load64_splat(scales);
    const ab = scaled(sums4(a0, a1, b0, b1), low, s);
    const cd = scaled(sums4(c0, c1, d0, d1), high, s);
    v128.store64_lane(to, ab, 0);
    v128.store64_lane(to + ld, ab, 1);
    v128.store64_lane(to + 2 * ld, cd, 0);
    v128.store64_lane(to + 3 * ld, cd, 1);
  }
}

/** Below it 127 / t overflows. */
const LEAST: f32 = 1.504632769052528e-36;

/** Shares of a tile, w = e · scales, as u, i16; returns their unit, t / 127. w is written over e. */
function shares(to: usize, e: usize, scales: usize): f32 {
  let m = f32x4.splat(0);
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
  for (let i: usize = 0; i < <usize>(TILE * 4); i += 32, to += 16) {
    const low = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(e + i), factor)));
    const high = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(v128.load(e + i, 16), factor)));
    v128.store(to, i16x8.narrow_i32x4_s(low, high));
  }
  return isNone ? 0 : most / 127;
}

/** sums += f32(sum) · unit, four columns. */
function add(sums: usize, sum: v128, unit: v128): void {
  v128.store(sums, f32x4.add(v128.load(sums), f32x4.mul(f32x4.convert_i32x4_s(sum), unit)));
}

/** sums[c] += f32(Σ_j u[j]·v[j][c]) · unit over pairs of keys from `first` to `count`, the last of which may be none; 16 columns at a time. */
function values1(sums: usize, columns: i32, unit: f32, u: usize, v: usize, step: usize, count: i32): void {
  const zero = i32x4.splat(0);
  const factor = f32x4.splat(unit);
  for (let c = 0; c < columns; c += 16, sums += 64, v += 16) {
    let y0 = zero;
    let y1 = zero;
    let y2 = zero;
    let y3 = zero;
    let at = v;
    let p = u;
    for (let j = 0; j < count; j += 2, at += 2 * step, p += 4) {
      const next = j + 1 < count ? at + step : at;
      const share = v128.load32_splat(p);
      let a = v128.load8x8_s(at);
      let b = v128.load8x8_s(next);
      y0 = i32x4.add(y0, i32x4.dot_i16x8_s(zipLow16(a, b), share));
      y1 = i32x4.add(y1, i32x4.dot_i16x8_s(zipHigh16(a, b), share));
      a = v128.load8x8_s(at, 8);
      b = v128.load8x8_s(next, 8);
      y2 = i32x4.add(y2, i32x4.dot_i16x8_s(zipLow16(a, b), share));
      y3 = i32x4.add(y3, i32x4.dot_i16x8_s(zipHigh16(a, b), share));
    }
    add(sums, y0, factor);
    add(sums + 16, y1, factor);
    add(sums + 32, y2, factor);
    add(sums + 48, y3, factor);
  }
}

/** The same of four queries, 8 columns at a time. */
function values4(sums: usize, columns: i32, row: usize, u: usize, v: usize, step: usize, count: i32): void {
  const zero = i32x4.splat(0);
  const ld = (<usize>columns) << 2;
  const f0 = f32x4.splat(changetype<Row>(row).unit);
  const f1 = f32x4.splat(changetype<Row>(row + ROW).unit);
  const f2 = f32x4.splat(changetype<Row>(row + 2 * ROW).unit);
  const f3 = f32x4.splat(changetype<Row>(row + 3 * ROW).unit);
  for (let c = 0; c < columns; c += 8, sums += 32, v += 8) {
    let a0 = zero;
    let a1 = zero;
    let b0 = zero;
    let b1 = zero;
    let c0 = zero;
    let c1 = zero;
    let d0 = zero;
    let d1 = zero;
    let at = v;
    let p = u;
    for (let j = 0; j < count; j += 2, at += 2 * step, p += 4) {
      const a = v128.load8x8_s(at);
      const b = v128.load8x8_s(j + 1 < count ? at + step : at);
      const low = zipLow16(a, b);
      const high = zipHigh16(a, b);
      let share = v128.load32_splat(p);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(low, share));
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(high, share));
      share = v128.load32_splat(p, 2 * TILE);
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(low, share));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(high, share));
      share = v128.load32_splat(p, 4 * TILE);
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(low, share));
      c1 = i32x4.add(c1, i32x4.dot_i16x8_s(high, share));
      share = v128.load32_splat(p, 6 * TILE);
      d0 = i32x4.add(d0, i32x4.dot_i16x8_s(low, share));
      d1 = i32x4.add(d1, i32x4.dot_i16x8_s(high, share));
    }
    add(sums, a0, f0);
    add(sums + 16, a1, f0);
    add(sums + ld, b0, f1);
    add(sums + ld + 16, b1, f1);
    add(sums + 2 * ld, c0, f2);
    add(sums + 2 * ld + 16, c1, f2);
    add(sums + 3 * ld, d0, f3);
    add(sums + 3 * ld + 16, d1, f3);
  }
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
  const units = scales + <usize>(TILE * 4);
  const scores = units + <usize>(TILE * 8);
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
    for (let tile = first; tile < to; tile += TILE) {
      for (let i = 0, n = 0; i < count; i += n) {
        const at = scratch + <usize>(i * ROW);
        n = together(at, count - i);
        const a = firstOf(at, n, tile);
        const b = lastOf(at, n, tile + TILE);
        if (a >= b) continue;
        const row = changetype<Row>(at);
        const place = <usize>(tile % length) + <usize>(a - tile);
        gathered(scales, keyScales + place * scaleStep + ((<usize>row.group) << 2), scaleStep, b - a);
        const key = row.k + place * keyStep;
        const own = scores + <usize>i * ld + ((<usize>(a - first)) << 2);
        if (n == 4) scores4(own, ld, at, key, keyStep, scales, b - a, size);
        else scores1(own, row, key, keyStep, scales, b - a, size);
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
      for (let i = 0, n = 0; i < count; i += n) {
        const at = scratch + <usize>(i * ROW);
        n = together(at, count - i);
        const a = firstOf(at, n, tile);
        const b = lastOf(at, n, tile + TILE);
        if (a >= b) continue;
        const row = changetype<Row>(at);
        const place = <usize>(tile % length);
        const known = valueScales + place * scaleStep + ((<usize>row.group) << 2);
        memory.fill(scales, 0, TILE * 4);
        const skipped = <usize>(a - tile);
        gathered(scales + (skipped << 2), known + skipped * scaleStep, scaleStep, b - a);
        for (let j = 0; j < n; j++) {
          const own = changetype<Row>(at + <usize>(j * ROW));
          const u = units + <usize>(j * TILE * 2);
          const e = scores + <usize>(i + j) * ld + ((<usize>(tile - first)) << 2);
          if (own.from < tile + TILE && own.to > tile) own.unit = shares(u, e, scales);
          else {
            own.unit = 0;
            memory.fill(u, 0, TILE * 2);
          }
        }
        // Pairs begin at even keys.
        const even = skipped & ~1;
        const value = row.v + (place + even) * valueStep;
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
