// Folds of a dimension, over elements of 32 bits (f32, i32) or 8 (u8). The order of operations is one for all: it depends on the
// sizes alone.

import { head4, sum4 } from "../lanes/lanes";
import { storeBytes, storeWords } from "../lanes/simd";

export const SUM: i32 = 0;
export const PRODUCT: i32 = 1;
export const LARGEST: i32 = 2;
export const LEAST: i32 = 3;

/** What is done to an element before it is folded. */
export const ITSELF: i32 = 0;
export const ABSOLUTE: i32 = 1;
export const SQUARE: i32 = 2;

/** Elements that are folded on their own, before they are folded with those ahead of them. */
const BLOCK: i32 = 1024;
/** Columns whose results stay in the nearest cache while rows are read. */
const STRIP: i32 = 1024;

export class Lanes {
  /** What changes nothing: the result of a fold over no elements. */
  @inline
  static none<T>(kind: i32): v128 {
    if (sizeof<T>() == 1) return i8x16.splat(kind == LARGEST ? 0 : -1);
    if (isFloat<T>()) {
      if (kind == LARGEST) return f32x4.splat(-Infinity);
      if (kind == LEAST) return f32x4.splat(Infinity);
      return f32x4.splat(kind == PRODUCT ? 1 : 0);
    }
    if (kind == LARGEST) return i32x4.splat(i32.MIN_VALUE);
    if (kind == LEAST) return i32x4.splat(i32.MAX_VALUE);
    return i32x4.splat(kind == PRODUCT ? 1 : 0);
  }

  /** a and b in one. Sums and products of i32 keep their low 32 bits; NaN is the largest and the least. */
  @inline
  static fold<T>(kind: i32, a: v128, b: v128): v128 {
    if (sizeof<T>() == 1) return kind == LARGEST ? i8x16.max_u(a, b) : i8x16.min_u(a, b);
    if (isFloat<T>()) {
      if (kind == SUM) return f32x4.add(a, b);
      if (kind == PRODUCT) return f32x4.mul(a, b);
      return kind == LARGEST ? f32x4.max(a, b) : f32x4.min(a, b);
    }
    if (kind == SUM) return i32x4.add(a, b);
    if (kind == PRODUCT) return i32x4.mul(a, b);
    return kind == LARGEST ? i32x4.max_s(a, b) : i32x4.min_s(a, b);
  }

  /** Elements at an address, as they are folded. */
  @inline
  static of<T>(map: i32, x: usize): v128 {
    const v = v128.load(x);
    if (map == ITSELF) return v;
    if (map == ABSOLUTE) return isFloat<T>() ? f32x4.abs(v) : i32x4.abs(v);
    return isFloat<T>() ? f32x4.mul(v, v) : i32x4.mul(v, v);
  }

  /** The first `count` lanes of v, and of `rest` the others. */
  @inline
  static head<T>(v: v128, rest: v128, count: i32): v128 {
    if (sizeof<T>() == 4) return head4(v, rest, count);
    const lane = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return v128.bitselect(v, rest, i8x16.lt_s(lane, i8x16.splat(<i8>count)));
  }

  @inline
  static store<T>(y: usize, v: v128, count: i32): void {
    if (sizeof<T>() == 4) storeWords(y, v, count);
    else storeBytes(y, v, count);
  }

  /** All lanes in one, which is stored: of four (l0 · l2) · (l1 · l3). */
  @inline
  static storeOne<T>(kind: i32, y: usize, v: v128): void {
    if (isFloat<T>() && kind == SUM) {
      store<f32>(y, sum4(v));
      return;
    }
    v = Lanes.fold<T>(kind, v, i32x4.shuffle(v, v, 2, 3, 0, 1));
    v = Lanes.fold<T>(kind, v, i32x4.shuffle(v, v, 1, 0, 3, 2));
    if (sizeof<T>() == 1) {
      v = Lanes.fold<T>(kind, v, i16x8.shuffle(v, v, 1, 0, 3, 2, 5, 4, 7, 6));
      v = Lanes.fold<T>(kind, v, i16x8.shr_u(v, 8));
      store<u8>(y, <u8>i8x16.extract_lane_u(v, 0));
    } else store<i32>(y, i32x4.extract_lane(v, 0));
  }

  /**
   * n elements that lie one behind the other: of each block, every fourth vector on its own, (v0 · v2) · (v1 · v3); blocks in their
   * order; then the lanes.
   */
  @inline
  static row<T>(kind: i32, map: i32, y: usize, x: usize, n: i32): void {
    const none = Lanes.none<T>(kind);
    const lanes = <i32>(16 / sizeof<T>());
    let all = none;
    while (n > 0) {
      let rest = n < BLOCK ? n : BLOCK;
      n -= rest;
      let a = none;
      let b = none;
      let c = none;
      let d = none;
      for (; rest >= lanes << 2; rest -= lanes << 2, x += 64) {
        a = Lanes.fold<T>(kind, a, Lanes.of<T>(map, x));
        b = Lanes.fold<T>(kind, b, Lanes.of<T>(map, x + 16));
        c = Lanes.fold<T>(kind, c, Lanes.of<T>(map, x + 32));
        d = Lanes.fold<T>(kind, d, Lanes.of<T>(map, x + 48));
      }
      for (; rest > 0; rest -= lanes, x += 16)
        a = Lanes.fold<T>(kind, a, Lanes.head<T>(Lanes.of<T>(map, x), none, rest));
      const even = Lanes.fold<T>(kind, a, c);
      all = Lanes.fold<T>(kind, all, Lanes.fold<T>(kind, even, Lanes.fold<T>(kind, b, d)));
    }
    Lanes.storeOne<T>(kind, y, all);
  }

  /**
   * `n` rows of `cols` columns, `step` bytes apart: eight rows ((r0 · r1) · (r2 · r3)) · ((r4 · r5) · (r6 · r7)), which are folded with those
   * ahead of them; the last n mod 8 one by one.
   */
  @inline
  static columns<T>(kind: i32, map: i32, y: usize, x: usize, n: i32, cols: i32, step: usize): void {
    const none = Lanes.none<T>(kind);
    const lanes = <i32>(16 / sizeof<T>());
    for (let i = 0; i < cols; i += lanes) Lanes.store<T>(y + <usize>i * sizeof<T>(), none, cols - i);
    for (; n >= 8; n -= 8, x += step << 3) {
      for (let i = 0; i < cols; i += lanes) {
        const at = <usize>i * sizeof<T>();
        const p = x + at;
        const q = p + (step << 2);
        const r0 = Lanes.fold<T>(kind, Lanes.of<T>(map, p), Lanes.of<T>(map, p + step));
        const r2 = Lanes.fold<T>(kind, Lanes.of<T>(map, p + step * 2), Lanes.of<T>(map, p + step * 3));
        const r4 = Lanes.fold<T>(kind, Lanes.of<T>(map, q), Lanes.of<T>(map, q + step));
        const r6 = Lanes.fold<T>(kind, Lanes.of<T>(map, q + step * 2), Lanes.of<T>(map, q + step * 3));
        const rows = Lanes.fold<T>(kind, Lanes.fold<T>(kind, r0, r2), Lanes.fold<T>(kind, r4, r6));
        Lanes.store<T>(y + at, Lanes.fold<T>(kind, v128.load(y + at), rows), cols - i);
      }
    }
    for (; n > 0; n--, x += step) {
      for (let i = 0; i < cols; i += lanes) {
        const at = <usize>i * sizeof<T>();
        const v = Lanes.fold<T>(kind, v128.load(y + at), Lanes.of<T>(map, x + at));
        Lanes.store<T>(y + at, v, cols - i);
      }
    }
  }

  /** y[o][i] = the fold of x[o][r][i] over r < n: x [outer][n][inner] → y [outer][inner]. */
  @inline
  static all<T>(kind: i32, map: i32, y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
    const step = <usize>inner * sizeof<T>();
    for (let o = begin; o < end; o++) {
      const from = x + <usize>(o * n) * step;
      const to = y + <usize>o * step;
      if (inner == 1) Lanes.row<T>(kind, map, to, from, n);
      else
        for (let i = 0; i < inner; i += STRIP) {
          const at = <usize>i * sizeof<T>();
          Lanes.columns<T>(kind, map, to + at, from + at, n, inner - i < STRIP ? inner - i : STRIP, step);
        }
    }
  }
}
