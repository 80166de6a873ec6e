// Rotary position embeddings: pairs of a head's elements turned by the angles of their token.

import { rowAt } from "../lanes/indices";
import { storeWords } from "../lanes/simd";

/**
 * (y[a], y[b]) = (c·x[a] − s·x[b], s·x[a] + c·x[b]) for the pairs i < half of each head: a = i, b = half + i, or a = 2i, b = 2i + 1
 * where `interleaved` is 1. The rest of a head is as it was.
 *
 * x, y [rows][heads][size]. Row r belongs to token t = r mod `tokens` of batch r / `rowsOfBatch`, and its angles are row
 * e = batch·`anglesOfBatch` + t of cos and sin [..][half]; with positions i32 [batch][tokens], row positions[batch][t] of their
 * `extent` rows. Range: rows. y may be x.
 */
export function rotaryEmbedding(
  y: usize,
  x: usize,
  cos: usize,
  sin: usize,
  positions: usize,
  heads: i32,
  size: i32,
  half: i32,
  interleaved: i32,
  tokens: i32,
  rowsOfBatch: i32,
  anglesOfBatch: i32,
  extent: i32,
  begin: i32,
  end: i32,
): void {
  const second = interleaved ? 0 : (<usize>half) << 2;
  const signs = i32x4(0x80000000, 0, 0x80000000, 0);
  for (let r = begin; r < end; r++) {
    let entry = (r / rowsOfBatch) * anglesOfBatch + (r % tokens);
    if (positions) entry = rowAt(load<i32>(positions + ((<usize>entry) << 2)), extent);
    const c = cos + ((<usize>(entry * half)) << 2);
    const s = sin + ((<usize>(entry * half)) << 2);
    for (let h = 0; h < heads; h++) {
      const head = (<usize>((r * heads + h) * size)) << 2;
      const from = x + head;
      const to = y + head;
      if (interleaved)
        for (let i = 0; i < half; i += 2) {
          const at = (<usize>i) << 3;
          const v = v128.load(from + at);
          const own = v128.load64_splat(c + (at >> 1));
          const other = v128.load64_splat(s + (at >> 1));
          const turned = f32x4.mul(
            i32x4.shuffle(v, v, 1, 0, 3, 2),
            v128.xor(i32x4.shuffle(other, other, 0, 0, 1, 1), signs),
          );
          const kept = f32x4.mul(v, i32x4.shuffle(own, own, 0, 0, 1, 1));
          storeWords(to + at, f32x4.add(kept, turned), 2 * (half - i));
        }
      else
        for (let i = 0; i < half; i += 4) {
          const at = (<usize>i) << 2;
          const a = v128.load(from + at);
          const b = v128.load(from + at + second);
          const own = v128.load(c + at);
          const other = v128.load(s + at);
          const first = f32x4.sub(f32x4.mul(own, a), f32x4.mul(other, b));
          storeWords(to + at, first, half - i);
          storeWords(to + at + second, f32x4.add(f32x4.mul(other, a), f32x4.mul(own, b)), half - i);
        }
      const turned = (<usize>half) << 3;
      if (y != x) memory.copy(to + turned, from + turned, ((<usize>size) << 2) - turned);
    }
  }
}
