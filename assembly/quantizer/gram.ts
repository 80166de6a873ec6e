// Sums of products of every two columns of a matrix, XᵀX: what GPTQ knows of a layer's inputs. It is symmetric, so only the
// lower triangle is made, in squares of 8 columns.
//
//   packed, panel p          h, f32 [8·panels][8·panels]
//   r 0 | x8p … x8p+7 |      row 8p … | panels 0 … p |  (not written) |
//   r 1 | x8p … x8p+7 |
//
// A sum goes on from what h has, so rows may come in blocks: each product is rounded, then each sum, r ascending.

/** Columns of a panel. */
const PANEL: i32 = 8;

/** packed[p][r][c] = x[r][8p + c], 0 beyond the last column. x f32 [rows][k]. Range: panels. */
export function packGram(packed: usize, x: usize, rows: i32, k: i32, begin: i32, end: i32): void {
  for (let p = begin; p < end; p++) {
    let to = packed + ((<usize>(p * rows)) << 5);
    let from = x + ((<usize>p) << 5);
    const cols = min(PANEL, k - p * PANEL);
    for (let r = 0; r < rows; r++, to += 32, from += (<usize>k) << 2) {
      if (cols == PANEL) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        continue;
      }
      for (let c = 0; c < PANEL; c++) {
        const at = (<usize>c) << 2;
        store<f32>(to + at, c < cols ? load<f32>(from + at) : 0);
      }
    }
  }
}

/** h[i][·] += Σ_r a[r][i]·b[r][·] for 4 rows i of a panel a and the 8 columns of a panel b; ld bytes between rows of h. */
function addSquare(h: usize, ld: usize, a: usize, b: usize, rows: i32): void {
  const h1 = h + ld;
  const h2 = h1 + ld;
  const h3 = h2 + ld;
  let c00 = v128.load(h);
  let c01 = v128.load(h, 16);
  let c10 = v128.load(h1);
  let c11 = v128.load(h1, 16);
  let c20 = v128.load(h2);
  let c21 = v128.load(h2, 16);
  let c30 = v128.load(h3);
  let c31 = v128.load(h3, 16);
  for (const stop = b + ((<usize>rows) << 5); b < stop; b += 32, a += 32) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let v = v128.load32_splat(a);
    c00 = f32x4.add(c00, f32x4.mul(v, b0));
    c01 = f32x4.add(c01, f32x4.mul(v, b1));
    v = v128.load32_splat(a, 4);
    c10 = f32x4.add(c10, f32x4.mul(v, b0));
    c11 = f32x4.add(c11, f32x4.mul(v, b1));
    v = v128.load32_splat(a, 8);
    c20 = f32x4.add(c20, f32x4.mul(v, b0));
    c21 = f32x4.add(c21, f32x4.mul(v, b1));
    v = v128.load32_splat(a, 12);
    c30 = f32x4.add(c30, f32x4.mul(v, b0));
    c31 = f32x4.add(c31, f32x4.mul(v, b1));
  }
  v128.store(h, c00);
  v128.store(h, c01, 16);
  v128.store(h1, c10);
  v128.store(h1, c11, 16);
  v128.store(h2, c20);
  v128.store(h2, c21, 16);
  v128.store(h3, c30);
  v128.store(h3, c31, 16);
}

/**
 * h[i][j] += Σ_r x[r][i]·x[r][j] for all j up to the end of i's panel. Range: panels of 8 rows of h.
 *
 * h f32 [8·panels][8·panels]; packed: x as packGram leaves it, `rows` rows.
 */
export function addGram(h: usize, packed: usize, rows: i32, panels: i32, begin: i32, end: i32): void {
  const ld = (<usize>panels) << 5;
  const step = (<usize>rows) << 5;
  for (let p = begin; p < end; p++) {
    const a = packed + <usize>p * step;
    const row = h + <usize>(p * PANEL) * ld;
    let b = packed;
    for (let at = row, stop = row + ((<usize>(p + 1)) << 5); at < stop; at += 32, b += step) {
      addSquare(at, ld, a, b, rows);
      addSquare(at + (ld << 2), ld, a + 16, b, rows);
    }
  }
}
