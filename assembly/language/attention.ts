// Attention over floats. A tile of keys meets up to 16 queries while it is in the cache: their scores first, then the softmax of
// each, then the values. Every sum has one order, whatever rows are done together and wherever a range begins:
//
//   score    Σ_d q[d]·k[d], lane d mod 4 adds the elements d, d + 4, …, then (l0 + l2) + (l1 + l3); times the scale
//   value    Σ_j e[j]·v[j], keys that the query sees ascending from 0; divided by Σ_j e[j]
//
// A key that a query does not see is not read for it: infinities and NaN there do not reach it.

import { head4 } from "../lanes/lanes";
import { finish, firstOf, lastOf, Row, see, softmaxOf, together, touch } from "./attention-rows";
import { columnsOf, Heads, queryFloats, ROW, ROWS, scoresOf, TILE } from "./attention-sizes";
import { scores1, scores4, values1, values4 } from "./attention-tiles";

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
 * q, y [batch][heads][tokens][size], or flat, [batch][tokens][heads][size]; k, v [batch][groups][keys][size], or flat,
 * [batch][keys][groups][size]; valueSize of v and y. form: Heads. Key j lies at place j mod `keys`: a ring, a multiple of 32, where there
 * are more. `seen` keys there are, or lengths[batch]; token t has the position offset + t, or lengths[batch] − tokens + t.
 *
 * mask 0: none; else element (batch, head, token, j) lies at batch·maskBatch + head·maskHead + token·maskRow + j: f32, or bytes. output 0:
 * none; else f32 [batch][heads][tokens][seen]. scratch: attentionScratchBytes.
 */
export function attention(
  y: usize,
  output: usize,
  q: usize,
  k: usize,
  v: usize,
  mask: usize,
  lengths: usize,
  form: usize,
  scratch: usize,
  tokens: i32,
  keys: i32,
  seen: i32,
  maskBatch: i32,
  maskHead: i32,
  maskRow: i32,
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
  const isBool = how.isBool;
  const columns = columnsOf(valueSize);
  const ld = (<usize>scoresOf(keys)) << 2;
  const sums = scratch + <usize>(ROWS * ROW);
  const queries = sums + ((<usize>(ROWS * columns)) << 2);
  const pitch = queryFloats(size);
  const read = queries + <usize>ROWS * pitch;
  const scores = read + 16;
  const keyStep = (<usize>(how.isFlatKeys ? groups * size : size)) << 2;
  const valueStep = (<usize>(how.isFlatKeys ? groups * valueSize : valueSize)) << 2;
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
      const place = how.isFlat ? (batch * tokens + t) * heads + head : r + i;
      const keyPlace = how.isFlatKeys ? batch * keys * groups + group : (batch * groups + group) * keys;
      row.q = queries + <usize>i * pitch;
      store0(row.q, q + ((<usize>(place * size)) << 2), size);
      row.y = y + ((<usize>(place * valueSize)) << 2);
      row.k = k + ((<usize>(keyPlace * size)) << 2);
      row.v = v + ((<usize>(keyPlace * valueSize)) << 2);
      const masked = batch * maskBatch + head * maskHead + t * maskRow;
      row.mask = mask ? mask + ((<usize>masked) << maskShift) : 0;
      row.output = output ? output + ((<usize>((r + i) * seen)) << 2) : 0;
      const most = lengths ? max(0, min(seen, load<i32>(lengths + ((<usize>batch) << 2)))) : seen;
      see(row, t, lengths ? most - tokens : offset, most, how.left, how.right);
      from = min(from, row.from);
      to = max(to, row.to);
    }
    if (output) {
      from = 0;
      to = seen;
    }
    const first = from & ~(TILE - 1);
    const one = changetype<Row>(scratch);
    const other = changetype<Row>(scratch + <usize>((count - 1) * ROW));
    for (let tile = first; tile < to; tile += TILE) {
      const place = tile % keys;
      // Of one batch.
      const span = other.k - one.k + ((<usize>size) << 2);
      if (span <= keyStep)
        v128.store(read, touch(one.k + <usize>place * keyStep, span, keyStep, min(TILE, to - tile)));
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
      softmaxOf(row, scores + <usize>i * ld, first, begin, end, softcap, maskKeys, isBool, how.mode, seen);
    }
    for (let tile = first; tile < to; tile += TILE) {
      const place = tile % keys;
      const span = other.v - one.v + ((<usize>valueSize) << 2);
      if (span <= valueStep)
        v128.store(read, touch(one.v + <usize>place * valueStep, span, valueStep, min(TILE, to - tile)));
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
