// Sums of i32 that are not rounded, held in i64 until they are divided or their root is taken: x [outer][n][inner] → y i64
// [outer][inner]. Range: outer. y is not x.

/** The least sum of squares whose root is no i32. Sums of so many i32 as memory holds are below. */
const TOO_LARGE: i64 = 1 << 62;

class Wide {
  /**
   * y[o][i] = Σ_r of x[o][r][i], or of its square: any number from TOO_LARGE on where the sum is as large. T is i32, or i64 for sums that
   * are summed further.
   */
  @inline
  static sum<T>(squares: bool, y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
    const step = <usize>inner * sizeof<T>();
    for (let o = begin; o < end; o++) {
      for (let i = 0; i < inner; i++) {
        let all: i64 = 0;
        let at = x + <usize>(o * n) * step + <usize>i * sizeof<T>();
        for (let r = 0; r < n; r++, at += step) {
          const v = <i64>load<T>(at);
          const more = squares ? v * v : v;
          all = all < TOO_LARGE && more < TOO_LARGE ? all + more : TOO_LARGE;
        }
        store<i64>(y + ((<usize>(o * inner + i)) << 3), all);
      }
    }
  }
}

/** y[o][i] = Σ_r x[o][r][i], x of i32. */
export function reduceSumWide(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Wide.sum<i32>(false, y, x, n, inner, begin, end);
}

/** y[o][i] = Σ_r x[o][r][i]², x of i32. */
export function reduceSquareSumWide(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Wide.sum<i32>(true, y, x, n, inner, begin, end);
}

/** y[o][i] = Σ_r x[o][r][i], x of i64. */
export function reduceSumsWide(y: usize, x: usize, n: i32, inner: i32, begin: i32, end: i32): void {
  Wide.sum<i64>(false, y, x, n, inner, begin, end);
}

/** y i32 = x / n towards 0, x of i64. Range: elements. */
export function divideSumsWide(y: usize, x: usize, n: i32, begin: i32, end: i32): void {
  for (let i = <usize>begin; i < <usize>end; i++)
    store<i32>(y + (i << 2), <i32>(load<i64>(x + (i << 3)) / n));
}

/** y i32 = √x towards 0, x of i64. Traps where that is no i32. Range: elements. */
export function rootOfSumsWide(y: usize, x: usize, begin: i32, end: i32): void {
  for (let i = <usize>begin; i < <usize>end; i++) {
    const v = load<u64>(x + (i << 3));
    if (v >= <u64>TOO_LARGE) unreachable();
    const root = <u64>sqrt<f64>(<f64>v);
    store<i32>(y + (i << 2), <i32>(root * root > v ? root - 1 : root));
  }
}
