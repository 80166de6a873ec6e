// Where the largest or least element of one dimension is: x [outer][n][inner] → y i32 [outer][inner], n at least 1. Of equal elements
// the first, or the last where `last` is 1. NaN is the largest and the least. Range: outer.

import { head4 } from "../lanes/lanes";
import { storeWords } from "../lanes/simd";
import { ITSELF, LARGEST, Lanes, LEAST } from "./fold";

class Places {
  /** Whether v takes the place of `best`, which is ahead of it. */
  @inline
  static isBetter<T>(kind: i32, v: T, best: T, last: i32): bool {
    if (isFloat<T>() && v != v) return last != 0 || best == best;
    if (v == best) return last != 0;
    return kind == LARGEST ? v > best : v < best;
  }

  @inline
  static isBetter4<T>(kind: i32, v: v128, best: v128, last: i32): v128 {
    if (!isFloat<T>()) {
      const beyond = kind == LARGEST ? i32x4.gt_s(v, best) : i32x4.lt_s(v, best);
      return last ? v128.or(beyond, i32x4.eq(v, best)) : beyond;
    }
    const beyond = kind == LARGEST ? f32x4.gt(v, best) : f32x4.lt(v, best);
    const isFirst = v128.or(beyond, v128.and(f32x4.ne(v, v), f32x4.eq(best, best)));
    return last ? v128.or(v128.or(beyond, f32x4.eq(v, best)), f32x4.ne(v, v)) : isFirst;
  }

  /** Of n elements of 32 bits that lie one behind the other: the extreme, then where it is. */
  @inline
  static row<T>(kind: i32, y: usize, x: usize, n: i32, last: i32): void {
    Lanes.row<T>(kind, ITSELF, y, x, n);
    const best = v128.load32_splat(y);
    let found = 0;
    for (let r = 0; r < n; r += 4, x += 16) {
      const v = v128.load(x);
      const isIt = isFloat<T>() ? v128.or(f32x4.eq(v, best), f32x4.ne(v, v)) : i32x4.eq(v, best);
      const bits = i32x4.bitmask(head4(isIt, i32x4.splat(0), n - r));
      if (!bits) continue;
      found = r + (last ? 31 - clz<i32>(bits) : ctz<i32>(bits));
      if (!last) break;
    }
    store<i32>(y, found);
  }

  /** Four columns of 32 bits, `step` bytes from row to row; `count` of them are stored. */
  @inline
  static columns<T>(kind: i32, y: usize, x: usize, n: i32, step: usize, last: i32, count: i32): void {
    let best = v128.load(x);
    let at = i32x4.splat(0);
    for (let r = 1; r < n; r++) {
      x += step;
      const v = v128.load(x);
      const takes = Places.isBetter4<T>(kind, v, best, last);
      best = v128.bitselect(v, best, takes);
      at = v128.bitselect(i32x4.splat(r), at, takes);
    }
    storeWords(y, at, count);
  }

  @inline
  static all<T>(kind: i32, y: usize, x: usize, n: i32, inner: i32, last: i32, begin: i32, end: i32): void {
    const step = <usize>inner * sizeof<T>();
    for (let o = begin; o < end; o++) {
      const from = x + <usize>(o * n) * step;
      const to = y + ((<usize>(o * inner)) << 2);
      if (sizeof<T>() == 4 && inner == 1) Places.row<T>(kind, to, from, n, last);
      else if (sizeof<T>() == 4)
        for (let i = 0; i < inner; i += 4) {
          const at = (<usize>i) << 2;
          Places.columns<T>(kind, to + at, from + at, n, step, last, inner - i);
        }
      else
        for (let i = 0; i < inner; i++) {
          let p = from + <usize>i * sizeof<T>();
          let best = load<T>(p);
          let at = 0;
          for (let r = 0; r < n; r++, p += step)
            if (Places.isBetter<T>(kind, load<T>(p), best, last)) {
              best = load<T>(p);
              at = r;
            }
          store<i32>(to + ((<usize>i) << 2), at);
        }
    }
  }
}

/** y[o][i] = argmax_r x[o][r][i]. */
export function argMax(y: usize, x: usize, n: i32, inner: i32, last: i32, begin: i32, end: i32): void {
  Places.all<f32>(LARGEST, y, x, n, inner, last, begin, end);
}

/** y[o][i] = argmin_r x[o][r][i]. */
export function argMin(y: usize, x: usize, n: i32, inner: i32, last: i32, begin: i32, end: i32): void {
  Places.all<f32>(LEAST, y, x, n, inner, last, begin, end);
}

/** argMax of i32. */
export function argMaxInt(y: usize, x: usize, n: i32, inner: i32, last: i32, begin: i32, end: i32): void {
  Places.all<i32>(LARGEST, y, x, n, inner, last, begin, end);
}

/** argMin of i32. */
export function argMinInt(y: usize, x: usize, n: i32, inner: i32, last: i32, begin: i32, end: i32): void {
  Places.all<i32>(LEAST, y, x, n, inner, last, begin, end);
}

/** argMax of u8. */
export function argMaxByte(y: usize, x: usize, n: i32, inner: i32, last: i32, begin: i32, end: i32): void {
  Places.all<u8>(LARGEST, y, x, n, inner, last, begin, end);
}

/** argMin of u8. */
export function argMinByte(y: usize, x: usize, n: i32, inner: i32, last: i32, begin: i32, end: i32): void {
  Places.all<u8>(LEAST, y, x, n, inner, last, begin, end);
}
