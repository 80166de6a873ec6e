// Attention over floats. A tile of keys meets up to 16 queries while it is in the cache: their scores first, then the softmax of
// each, then the values. Every sum has one order, whatever rows are done together and wherever a range begins:
//
//   score    Σ_d q[d]·k[d], lane d mod 4 adds the elements d, d + 4, …, then (l0 + l2) + (l1 + l3); times the scale
//   value    Σ_j e[j]·v[j], keys that the query sees ascending from 0; divided by Σ_j e[j]
//
// A key that a query does not see is not read for it: infinities and NaN there do not reach it.

import { head4 } from "../lanes/lanes";
import { zipHigh32, zipLow32 } from "../lanes/simd";
import { finish, firstOf, lastOf, Row, see, softmaxOf, together } from "./attention-rows";
import { columnsOf, queryFloats, ROW, ROWS, scoresOf, TILE } from "./attention-sizes";

/** (l0 + l2) + (l1 + l3) of each of four vectors. */
function sums4(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(zipLow32(a, b), zipHigh32(a, b));
  const cd = f32x4.add(zipLow32(c, d), zipHigh32(c, d));
  return f32x4.add(i64x2.shuffle(ab, cd, 0, 2), i64x2.shuffle(ab, cd, 1, 3));
}

/**
 * Scores of one query and `count` keys, `step` bytes apart, four at a time; up to three more are written. Zeros lie behind q up to a
 * multiple of 4.
 */
function scores1(to: usize, q: usize, k: usize, step: usize, count: i32, size: i32, scale: v128): void {
  const zero = f32x4.splat(0);
  const last = k + <usize>(count - 1) * step;
  for (let j = 0; j < count; j += 4, k += 4 * step, to += 16) {
    const k1 = min(k + step, last);
    const k2 = min(k + 2 * step, last);
    const k3 = min(k + 3 * step, last);
    let a = zero;
    let b = zero;
    let c = zero;
    let d = zero;
    let at: usize = 0;
    for (let left = size; left > 0; left -= 4, at += 16) {
      const x = v128.load(q + at);
      let x0 = v128.load(k + at);
      let x1 = v128.load(k1 + at);
      let x2 = v128.load(k2 + at);
      let x3 = v128.load(k3 + at);
      if (left < 4) {
        x0 = head4(x0, zero, left);
        x1 = head4(x1, zero, left);
        x2 = head4(x2, zero, left);
        x3 = head4(x3, zero, left);
      }
      a = f32x4.add(a, f32x4.mul(x, x0));
      b = f32x4.add(b, f32x4.mul(x, x1));
      c = f32x4.add(c, f32x4.mul(x, x2));
      d = f32x4.add(d, f32x4.mul(x, x3));
    }
    v128.store(to, f32x4.mul(sums4(a, b, c, d), scale));
  }
}

/** The same of four queries, whose scores are `ld` bytes apart, two keys at a time; up to one more is written. */
function scores4(
  to: usize,
  ld: usize,
  q0: usize,
  k: usize,
  step: usize,
  count: i32,
  size: i32,
  scale: v128,
): void {
  const zero = f32x4.splat(0);
  const pitch = queryFloats(size);
  const q1 = q0 + pitch;
  const q2 = q1 + pitch;
  const q3 = q2 + pitch;
  for (let j = 0; j < count; j += 2, k += 2 * step, to += 8) {
    const next = j + 1 < count ? k + step : k;
    let a0 = zero;
    let a1 = zero;
    let b0 = zero;
    let b1 = zero;
    let c0 = zero;
    let c1 = zero;
    let d0 = zero;
    let d1 = zero;
    let at: usize = 0;
    for (let left = size; left > 0; left -= 4, at += 16) {
      let x0 = v128.load(k + at);
      let x1 = v128.load(next + at);
      if (left < 4) {
        x0 = head4(x0, zero, left);
        x1 = head4(x1, zero, left);
      }
      let q = v128.load(q0 + at);
      a0 = f32x4.add(a0, f32x4.mul(q, x0));
      a1 = f32x4.add(a1, f32x4.mul(q, x1));
      q = v128.load(q1 + at);
      b0 = f32x4.add(b0, f32x4.mul(q, x0));
      b1 = f32x4.add(b1, f32x4.mul(q, x1));
      q = v128.load(q2 + at);
      c0 = f32x4.add(c0, f32x4.mul(q, x0));
      c1 = f32x4.add(c1, f32x4.mul(q, x1));
      q = v128.load(q3 + at);
      d0 = f32x4.add(d0, f32x4.mul(q, x0));
      d1 = f32x4.add(d1, f32x4.mul(q, x1));
    }
    const first = f32x4.mul(sums4(a0, a1, b0, b1), scale);
    const second = f32x4.mul(sums4(c0, c1, d0, d1), scale);
    v128.store64_lane(to, first, 0);
    v128.store64_lane(to + ld, first, 1);
    v128.store64_lane(to + 2 * ld, second, 0);
    v128.store64_lane(to + 3 * ld, second, 1);
  }
}

/** sums[c] += Σ_j e[j]·v[j][c] over `count` keys, 16 columns at a time. */
function values1(sums: usize, columns: i32, e: usize, v: usize, step: usize, count: i32): void {
  if (count <= 0) return;
  if (count <= 0) return;
  for (let c = 0; c < columns; c += 16, sums += 64, v += 64) {
    let y0 = v128.load(sums);
    let y1 = v128.load(sums, 16);
    let y2 = v128.load(sums, 32);
    let y3 = v128.load(sums, 48);
    let at = v;
    for (let j = 0; j < count; j++, at += step) {
      const p = v128.load32_splat(e + ((<usize>j) << 2));
      y0 = f32x4.add(y0, f32x4.mul(p, v128.load(at)));
      y1 = f32x4.add(y1, f32x4.mul(p, v128.load(at, 16)));
      y2 = f32x4.add(y2, f32x4.mul(p, v128.load(at, 32)));
      y3 = f32x4.add(y3, f32x4.mul(p, v128.load(at, 48)));
    }
    v128.store(sums, y0);
    v128.store(sums, y1, 16);
    v128.store(sums, y2, 32);
    v128.store(sums, y3, 48);
  }
}

/** The same of four queries, whose shares are `ld` bytes apart, 8 columns at a time. */
function values4(sums: usize, columns: i32, e: usize, ld: usize, v: usize, step: usize, count: i32): void {
  const row = (<usize>columns) << 2;
  for (let c = 0; c < columns; c += 8, sums += 32, v += 32) {
    let a0 = v128.load(sums);
    let a1 = v128.load(sums, 16);
    let b0 = v128.load(sums + row);
    let b1 = v128.load(sums + row, 16);
    let c0 = v128.load(sums + 2 * row);
    let c1 = v128.load(sums + 2 * row, 16);
    let d0 = v128.load(sums + 3 * row);
    let d1 = v128.load(sums + 3 * row, 16);
    let at = v;
    let p = e;
    for (let j = 0; j < count; j++, at += step, p += 4) {
      const x0 = v128.load(at);
      const x1 = v128.load(at, 16);
      let share = v128.load32_splat(p);
      a0 = f32x4.add(a0, f32x4.mul(share, x0));
      a1 = f32x4.add(a1, f32x4.mul(share, x1));
      share = v128.load32_splat(p + ld);
      b0 = f32x4.add(b0, f32x4.mul(share, x0));
      b1 = f32x4.add(b1, f32x4.mul(share, x1));
      share = v128.load32_splat(p + 2 * ld);
      c0 = f32x4.add(c0, f32x4.mul(share, x0));
      c1 = f32x4.add(c1, f32x4.mul(share, x1));
      share = v128.load32_splat(p + 3 * ld);
      d0 = f32x4.add(d0, f32x4.mul(share, x0));
      d1 = f32x4.add(d1, f32x4.mul(share, x1));
    }
    v128.store(sums, a0);
    v128.store(sums, a1, 16);
    v128.store(sums + row, b0);
    v128.store(sums + row, b1, 16);
    v128.store(sums + 2 * row, c0);
    v128.store(sums + 2 * row, c1, 16);
    v128.store(sums + 3 * row, d0);
    v128.store(sums + 3 * row, d1, 16);
  }
}

/** A query, and zeros up to a multiple of 4. */
function store0(to: usize, q: usize, size: i32): void {
  for (let i = 0; i < size; i += 4) {
    const at = (<usize>i) << 2;
    v128.store(to + at, head4(v128.load(q + at), f32x4.splat(0), size - i));
  }
}

/**
 * y[r] = Σ_j softmax_j(scale·q[r]·k[j])·v[j] over the keys that each query sees; rows r = (batch·heads + head)·tokens + token. Range: rows.
 *
 * q, y [batch][heads][tokens][size], or [batch][tokens][heads][size] where flat is 1; k, v [batch][groups][keys][size], or
 * [batch][keys][groups][size] where flatKeys is 1; valueSize of v and y. heads / groups heads share keys and values. Key j lies at place
 * j mod `keys`: a ring, a multiple of 32, where there are more. `seen` keys there are, or lengths[batch]; token t has the position
 * offset + t, or lengths[batch] − tokens + t, and sees keys from `left` before to `right` behind it, −1: all.
 *
 * mask 0: none; else element (batch, head, token, j) lies at batch·maskBatch + head·maskHead + token·maskRow + j: f32, or bytes. output 0:
 * none; else f32 [batch][heads][tokens][seen], and mode: softmaxOf. scratch: attentionScratchBytes.
 */
export function attention(
  y: usize,
  output: usize,
  q: usize,
  k: usize,
  v: usize,
  mask: usize,
  lengths: usize,
  scratch: usize,
  tokens: i32,
  keys: i32,
  seen: i32,
  heads: i32,
  groups: i32,
  size: i32,
  valueSize: i32,
  flat: i32,
  flatKeys: i32,
  maskBatch: i32,
  maskHead: i32,
  maskRow: i32,
  maskKeys: i32,
  isBool: i32,
  offset: i32,
  left: i32,
  right: i32,
  scale: f32,
  softcap: f32,
  mode: i32,
  begin: i32,
  end: i32,
): void {
  const columns = columnsOf(valueSize);
  const ld = (<usize>scoresOf(keys)) << 2;
  const sums = scratch + <usize>(ROWS * ROW);
  const queries = sums + ((<usize>(ROWS * columns)) << 2);
  const pitch = queryFloats(size);
  const scores = queries + <usize>ROWS * pitch;
  const keyStep = (<usize>(flatKeys ? groups * size : size)) << 2;
  const valueStep = (<usize>(flatKeys ? groups * valueSize : valueSize)) << 2;
  const factor = f32x4.splat(scale);
  const maskShift = isBool ? 0 : 2;
  for (let r = begin; r < end; r += ROWS) {
    const count = min(ROWS, end - r);
    let from = seen;
    let to = 0;
    for (let i = 0; i < count; i++) {
      const row = changetype<Row>(scratch + <usize>(i * ROW));
      const t = (r + i) % tokens;
      const h = (r + i) / tokens;
      const head = h % heads;
      const batch = h / heads;
      const group = head / (heads / groups);
      const place = flat ? (batch * tokens + t) * heads + head : r + i;
      const keyPlace = flatKeys ? batch * keys * groups + group : (batch * groups + group) * keys;
      row.q = queries + <usize>i * pitch;
      store0(row.q, q + ((<usize>(place * size)) << 2), size);
      row.y = y + ((<usize>(place * valueSize)) << 2);
      row.k = k + ((<usize>(keyPlace * size)) << 2);
      row.v = v + ((<usize>(keyPlace * valueSize)) << 2);
      const masked = batch * maskBatch + head * maskHead + t * maskRow;
      row.mask = mask ? mask + ((<usize>masked) << maskShift) : 0;
      row.output = output ? output + ((<usize>((r + i) * seen)) << 2) : 0;
      const most = lengths ? max(0, min(seen, load<i32>(lengths + ((<usize>batch) << 2)))) : seen;
      see(row, t, lengths ? most - tokens : offset, most, left, right);
      from = min(from, row.from);
      to = max(to, row.to);
    }
    if (output) {
      from = 0;
      to = seen;
    }
    const first = from & ~(TILE - 1);
    for (let tile = first; tile < to; tile += TILE) {
      const place = tile % keys;
      for (let i = 0, n = 0; i < count; i += n) {
        const at = scratch + <usize>(i * ROW);
        n = together(at, count - i);
        const a = output ? tile : firstOf(at, n, tile);
        const b = output ? min(tile + TILE, to) : lastOf(at, n, tile + TILE);
        if (a >= b) continue;
        const row = changetype<Row>(at);
        const key = row.k + <usize>(place + a - tile) * keyStep;
        const own = scores + <usize>i * ld + ((<usize>(a - first)) << 2);
        if (n == 4) scores4(own, ld, row.q, key, keyStep, b - a, size, factor);
        else scores1(own, row.q, key, keyStep, b - a, size, factor);
      }
    }
    memory.fill(sums, 0, (<usize>(count * columns)) << 2);
    for (let i = 0; i < count; i++) {
      const row = changetype<Row>(scratch + <usize>(i * ROW));
      const begin = output ? 0 : (row.from - first) & ~3;
      const end = (output ? seen : row.to) - first;
      softmaxOf(row, scores + <usize>i * ld, first, begin, end, softcap, maskKeys, isBool, mode, seen);
    }
    for (let tile = first; tile < to; tile += TILE) {
      const place = tile % keys;
      for (let i = 0, n = 0; i < count; i += n) {
        const at = scratch + <usize>(i * ROW);
        n = together(at, count - i);
        // What all of them see is done together; before and behind it each is alone.
        let a = tile;
        let b = tile + TILE;
        for (let j = 0; j < n; j++) {
          a = max(a, changetype<Row>(at + <usize>(j * ROW)).from);
          b = min(b, changetype<Row>(at + <usize>(j * ROW)).to);
        }
        if (n == 1 || a >= b) a = b = tile + TILE;
        for (let j = 0; j < n; j++) {
          const row = changetype<Row>(at + <usize>(j * ROW));
          const begin = max(tile, row.from);
          const own = scores + <usize>(i + j) * ld + ((<usize>(begin - first)) << 2);
          const value = row.v + <usize>(place + begin - tile) * valueStep;
          const sum = sums + ((<usize>((i + j) * columns)) << 2);
          values1(sum, columns, own, value, valueStep, min(a, row.to) - begin);
        }
        if (b > a) {
          const own = scores + <usize>i * ld + ((<usize>(a - first)) << 2);
          const value = changetype<Row>(at).v + <usize>(place + a - tile) * valueStep;
          values4(sums + ((<usize>(i * columns)) << 2), columns, own, ld, value, valueStep, b - a);
        }
        for (let j = 0; j < n; j++) {
          const row = changetype<Row>(at + <usize>(j * ROW));
          const own = scores + <usize>(i + j) * ld + ((<usize>(b - first)) << 2);
          const value = row.v + <usize>(place + b - tile) * valueStep;
          const sum = sums + ((<usize>((i + j) * columns)) << 2);
          values1(sum, columns, own, value, valueStep, min(tile + TILE, row.to) - b);
        }
      }
    }
    for (let i = 0; i < count; i++)
      finish(changetype<Row>(scratch + <usize>(i * ROW)), sums + ((<usize>(i * columns)) << 2), valueSize);
  }
}
