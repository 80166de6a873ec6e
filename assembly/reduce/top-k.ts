// The k largest or least elements of one dimension, the best first. Elements are compared as keys of 64 bits: a whole number in their
// order, and below it the index, the lower one being better. NaN is the largest of all.

class Keys {
  @inline
  static of<T>(x: usize, index: i32, smallest: i32): i64 {
    let order: i32;
    if (isFloat<T>()) {
      const v = load<f32>(x);
      // −0 is 0.
      const bits = v != v ? i32.MAX_VALUE : reinterpret<i32>(v + 0);
      order = bits ^ ((bits >> 31) & i32.MAX_VALUE);
    } else order = <i32>load<T>(x);
    if (smallest) order = ~order;
    return ((<i64>order) << 32) | <i64>(<u32>~index);
  }

  @inline
  static indexOf(key: i64): i32 {
    return ~(<i32>key);
  }

  /** Whether one of four elements may be better than `worst`, which is ahead of them. */
  @inline
  static mayEnter<T>(x: usize, worst: v128, smallest: i32): bool {
    const v = v128.load(x);
    if (isFloat<T>()) return i32x4.bitmask(smallest ? f32x4.ge(v, worst) : f32x4.le(v, worst)) != 15;
    return i32x4.bitmask(smallest ? i32x4.ge_s(v, worst) : i32x4.le_s(v, worst)) != 15;
  }

  /** y[o][·][i] and places[o][·][i] of x[o][·][i], by a heap of k keys. */
  @inline
  static all<T>(
    y: usize,
    places: usize,
    heap: usize,
    x: usize,
    n: i32,
    inner: i32,
    k: i32,
    smallest: i32,
    begin: i32,
    end: i32,
  ): void {
    if (k == 0) return;
    const step = <usize>inner * sizeof<T>();
    for (let o = begin; o < end; o++)
      for (let i = 0; i < inner; i++) {
        const from = x + <usize>(o * n) * step + <usize>i * sizeof<T>();
        let p = from;
        for (let r = 0; r < k; r++, p += step)
          store<i64>(heap + ((<usize>r) << 3), Keys.of<T>(p, r, smallest));
        for (let at = (k >> 1) - 1; at >= 0; at--) sink(heap, at, k);
        let r = k;
        while (r < n) {
          if (sizeof<T>() == 4 && inner == 1 && r + 4 <= n) {
            const worst = v128.load32_splat(from + ((<usize>Keys.indexOf(load<i64>(heap))) << 2));
            for (; r + 4 <= n; r += 4, p += 16) if (Keys.mayEnter<T>(p, worst, smallest)) break;
            if (r >= n) break;
          }
          const last = r + 4 < n ? r + 4 : n;
          for (; r < last; r++, p += step) {
            const key = Keys.of<T>(p, r, smallest);
            if (key <= load<i64>(heap)) continue;
            store<i64>(heap, key);
            sink(heap, 0, k);
          }
        }
        for (let left = k - 1; left > 0; left--) {
          const worst = load<i64>(heap);
          const end = heap + ((<usize>left) << 3);
          store<i64>(heap, load<i64>(end));
          store<i64>(end, worst);
          sink(heap, 0, left);
        }
        let to = o * k * inner + i;
        for (let r = 0; r < k; r++, to += inner) {
          const index = Keys.indexOf(load<i64>(heap + ((<usize>r) << 3)));
          store<T>(y + <usize>to * sizeof<T>(), load<T>(from + <usize>index * step));
          store<i32>(places + ((<usize>to) << 2), index);
        }
      }
  }
}

/** Restores a heap of n keys, the least on top, below `at`. */
function sink(heap: usize, at: i32, n: i32): void {
  const key = load<i64>(heap + ((<usize>at) << 3));
  for (let child = 2 * at + 1; child < n; child = 2 * at + 1) {
    let least = load<i64>(heap + ((<usize>child) << 3));
    if (child + 1 < n && load<i64>(heap + ((<usize>child) << 3), 8) < least) {
      child++;
      least = load<i64>(heap + ((<usize>child) << 3));
    }
    if (least >= key) break;
    store<i64>(heap + ((<usize>at) << 3), least);
    at = child;
  }
  store<i64>(heap + ((<usize>at) << 3), key);
}

/**
 * y[o][j][i] = x[o][p][i], p = places[o][j][i], for j < k: the k largest over p < n, or the least with `smallest`, the best first. x
 * [outer][n][inner] → y and places i32 [outer][k][inner]; heap has room for k keys of 8 bytes; k ≤ n. Range: outer.
 */
export function topK(
  y: usize,
  places: usize,
  heap: usize,
  x: usize,
  n: i32,
  inner: i32,
  k: i32,
  smallest: i32,
  begin: i32,
  end: i32,
): void {
  Keys.all<f32>(y, places, heap, x, n, inner, k, smallest, begin, end);
}

/** topK of i32. */
export function topKInt(
  y: usize,
  places: usize,
  heap: usize,
  x: usize,
  n: i32,
  inner: i32,
  k: i32,
  smallest: i32,
  begin: i32,
  end: i32,
): void {
  Keys.all<i32>(y, places, heap, x, n, inner, k, smallest, begin, end);
}

/** topK of u8. */
export function topKByte(
  y: usize,
  places: usize,
  heap: usize,
  x: usize,
  n: i32,
  inner: i32,
  k: i32,
  smallest: i32,
  begin: i32,
  end: i32,
): void {
  Keys.all<u8>(y, places, heap, x, n, inner, k, smallest, begin, end);
}
