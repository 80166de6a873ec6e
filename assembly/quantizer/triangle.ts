// A symmetric matrix as the product of a triangle with itself, H = Mᵀ·M with M lower triangular: Cholesky's factor, begun at the
// last row, in f64. Row j of M says how the error of columns before j is made good by column j, so GPTQ needs no inverse.
//
//   m, f64 [k][ld], ld = k up to a multiple of 4      unit rows, f32, from the same address
//   | m00  .   .   . |                                | 1   .   .   . |
//   | m10 m11  .   . |   what lies right of the       | n10 1   .   . |   n[j][i] = m[j][i] / m[j][j]
//   | m20 m21 m22  . |   diagonal has no meaning      | n20 n21 1   . |

/** Rows whose products are taken off the rows above at once. */
const BLOCK: i32 = 32;

/**
 * m[a][b] = h[order[a]][order[b]] for b ≤ a, from the lower triangle of a symmetric matrix; `damping` is added on the diagonal.
 * Range: rows of m.
 *
 * h f32, ldh elements a row; order i32, all of its rows in any order; m f64, ld elements a row.
 */
export function orderGram(
  m: usize,
  ld: i32,
  h: usize,
  ldh: i32,
  order: usize,
  damping: f64,
  begin: i32,
  end: i32,
): void {
  for (let a = begin; a < end; a++) {
    const row = m + ((<usize>a * <usize>ld) << 3);
    const i = load<i32>(order + ((<usize>a) << 2));
    for (let b = 0; b <= a; b++) {
      const j = load<i32>(order + ((<usize>b) << 2));
      const at = i > j ? <usize>i * <usize>ldh + <usize>j : <usize>j * <usize>ldh + <usize>i;
      const v = <f64>load<f32>(h + (at << 2));
      store<f64>(row + ((<usize>b) << 3), b == a ? v + damping : v);
    }
  }
}

/** a[0..n) −= f·b[0..n), n up to a multiple of 4. */
function takeOff(a: usize, b: usize, f: f64, n: i32): void {
  const factor = f64x2.splat(f);
  for (const stop = a + ((<usize>n) << 3); a < stop; a += 32, b += 32) {
    v128.store(a, f64x2.sub(v128.load(a), f64x2.mul(factor, v128.load(b))));
    v128.store(a, f64x2.sub(v128.load(a, 16), f64x2.mul(factor, v128.load(b, 16))), 16);
  }
}

/** y[i][c] −= Σ_p f[p][i]·b[p][c] for 4 rows i and 4 columns c, p ascending over `count` rows, step bytes apart as those of y. */
function takeOffSquare(y: usize, step: usize, f: usize, b: usize, count: i32): void {
  const y1 = y + step;
  const y2 = y1 + step;
  const y3 = y2 + step;
  let c00 = v128.load(y);
  let c01 = v128.load(y, 16);
  let c10 = v128.load(y1);
  let c11 = v128.load(y1, 16);
  let c20 = v128.load(y2);
  let c21 = v128.load(y2, 16);
  let c30 = v128.load(y3);
  let c31 = v128.load(y3, 16);
  for (let p = 0; p < count; p++, f += step, b += step) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let v = v128.load64_splat(f);
    c00 = f64x2.sub(c00, f64x2.mul(v, b0));
    c01 = f64x2.sub(c01, f64x2.mul(v, b1));
    v = v128.load64_splat(f, 8);
    c10 = f64x2.sub(c10, f64x2.mul(v, b0));
    c11 = f64x2.sub(c11, f64x2.mul(v, b1));
    v = v128.load64_splat(f, 16);
    c20 = f64x2.sub(c20, f64x2.mul(v, b0));
    c21 = f64x2.sub(c21, f64x2.mul(v, b1));
    v = v128.load64_splat(f, 24);
    c30 = f64x2.sub(c30, f64x2.mul(v, b0));
    c31 = f64x2.sub(c31, f64x2.mul(v, b1));
  }
  v128.store(y, c00);
  v128.store(y, c01, 16);
  v128.store(y1, c10);
  v128.store(y1, c11, 16);
  v128.store(y2, c20);
  v128.store(y2, c21, 16);
  v128.store(y3, c30);
  v128.store(y3, c31, 16);
}

/**
 * m becomes M of m = Mᵀ·M, in place. Returns −1, or the row whose pivot is not above 0, where m is not positive definite.
 *
 * m f64 [k][ld], its lower triangle. Rows are done from the last to the first, in blocks of 32: each product is rounded, then
 * taken off; within a block row after row from its last, for the rows above a block from its first.
 */
export function factorTriangle(m: usize, k: i32, ld: i32): i32 {
  const step = (<usize>ld) << 3;
  for (let top = k; top > 0; ) {
    // Only the lowest block may be short: the rows above each block come in fours.
    const low = (top - 1) & ~(BLOCK - 1);
    for (let j = top - 1; j >= low; j--) {
      const row = m + <usize>j * step;
      const pivot = load<f64>(row + ((<usize>j) << 3));
      if (!(pivot > 0)) return j;
      const root = sqrt<f64>(pivot);
      for (let i = 0; i <= j; i++) {
        const at = row + ((<usize>i) << 3);
        store<f64>(at, load<f64>(at) / root);
      }
      for (let a = low; a < j; a++)
        takeOff(m + <usize>a * step, row, load<f64>(row + ((<usize>a) << 3)), a + 1);
    }
    const first = m + <usize>low * step;
    for (let a = 0; a < low; a += 4) {
      const row = m + <usize>a * step;
      for (let c: usize = 0; c <= (<usize>a) << 3; c += 32)
        takeOffSquare(row + c, step, first + ((<usize>a) << 3), first + c, top - low);
    }
    top = low;
  }
  return -1;
}

/** n[j][i] = f32(m[j][i] / m[j][j]) for i ≤ j, in place: n f32 [k][ld] begins where m does. */
export function unitRows(m: usize, k: i32, ld: i32): void {
  for (let j = 0; j < k; j++) {
    const from = m + ((<usize>j * <usize>ld) << 3);
    const to = m + ((<usize>j * <usize>ld) << 2);
    const pivot = load<f64>(from + ((<usize>j) << 3));
    for (let i = 0; i <= j; i++)
      store<f32>(to + ((<usize>i) << 2), <f32>(load<f64>(from + ((<usize>i) << 3)) / pivot));
  }
}
