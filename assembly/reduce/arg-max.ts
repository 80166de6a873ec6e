// Where the largest element along one axis is.

/**
 * y[o][i] = the first r (with `last` the last) at which x[o][r][i] is largest: x f32 [outer][reduce][inner] →
 * y i32 [outer][inner]. Range: outer. NaN is the largest of all, as in NumPy.
 */
export function argMax(y: usize, x: usize, reduce: i32, inner: i32, last: i32, begin: i32, end: i32): void {
  const step = (<usize>inner) << 2;
  for (let at = begin * inner; at < end * inner; at++) {
    const o = at / inner;
    let p = x + ((<usize>(o * reduce * inner + (at - o * inner))) << 2);
    let best: f32 = -Infinity;
    let index = 0;
    for (let r = 0; r < reduce; r++, p += step) {
      const value = load<f32>(p);
      if (value < best) continue;
      if (value != value ? last || best == best : last ? value >= best : value > best) {
        best = value;
        index = r;
      }
    }
    store<i32>(y + ((<usize>at) << 2), index);
  }
}
