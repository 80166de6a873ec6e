// The f32 product that gemm and conv share: packed 4-row panels times packed 8-column panels.
//
//   A panel, 4 rows                    B panel, 8 columns
//   k 0 | r0 | r1 | r2 | r3 |          k 0 | c0 | c1 | ... | c7 |
//   k 1 | r0 | r1 | r2 | r3 |          k 1 | c0 | c1 | ... | c7 |
//         16 bytes a step                    32 bytes a step
//
// Each product is rounded, then each sum, k ascending from 0, bias last: the bits depend on nothing else.
// Tile 4×8, not unrolled: 8 sums, 2 columns, 1 splat and 1 product in the 15 registers V8 has. One x64
// core (Zen 5): 27 GMAC/s at 512³, 87 % of two products and two sums a cycle.

import { clamp, storeWords8 } from "../lanes/lanes";
import { TILE } from "./sizes";

/** Where four packed rows lie, and where their results go. */
@unmanaged
export class Tile {
  a!: usize;
  y!: usize;
  /** Bytes from one row of y to the next. */
  ldy!: usize;
  /** Rows of y, 1 to 4. */
  rows!: i32;
}

/** Four columns of the bias, 0 without one. */
function biasAt(bias: usize, column: i32): v128 {
  return bias ? v128.load(bias + ((<usize>column) << 2)) : f32x4.splat(0);
}

/** Adds the bias, clamps, stores what is left of eight columns. */
function finish(y: usize, v0: v128, v1: v128, b0: v128, b1: v128, lo: v128, hi: v128, cols: i32): void {
  storeWords8(y, clamp(f32x4.add(v0, b0), lo, hi), clamp(f32x4.add(v1, b1), lo, hi), cols);
}

/**
 * y[r][c] = min(max(Σ_k a[k][r]·w[k][c] + bias[c], lo), hi) for the rows of `count` tiles and c < n.
 *
 * w: up(n, 8) packed columns. Panels of columns are the outer loop: one stays in the first-level cache.
 */
export function multiply(
  tiles: usize,
  count: i32,
  w: usize,
  bias: usize,
  n: i32,
  k: i32,
  low: f32,
  high: f32,
): void {
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  const stop = tiles + <usize>(count * TILE);
  for (let j = 0; j < n; j += 8, w += (<usize>k) << 5) {
    const bias0 = biasAt(bias, j);
    const bias1 = biasAt(bias, j + 4);
    for (let at = tiles; at < stop; at += TILE) {
      const tile = changetype<Tile>(at);
      let x = tile.a;
      let c00 = f32x4.splat(0);
      let c01 = c00;
      let c10 = c00;
      let c11 = c00;
      let c20 = c00;
      let c21 = c00;
      let c30 = c00;
      let c31 = c00;
      let b = w;
      for (const end = x + ((<usize>k) << 4); x < end; x += 16, b += 32) {
        const b0 = v128.load(b);
        const b1 = v128.load(b, 16);
        let v = v128.load32_splat(x);
        c00 = f32x4.add(c00, f32x4.mul(v, b0));
        c01 = f32x4.add(c01, f32x4.mul(v, b1));
        v = v128.load32_splat(x, 4);
        c10 = f32x4.add(c10, f32x4.mul(v, b0));
        c11 = f32x4.add(c11, f32x4.mul(v, b1));
        v = v128.load32_splat(x, 8);
        c20 = f32x4.add(c20, f32x4.mul(v, b0));
        c21 = f32x4.add(c21, f32x4.mul(v, b1));
        v = v128.load32_splat(x, 12);
        c30 = f32x4.add(c30, f32x4.mul(v, b0));
        c31 = f32x4.add(c31, f32x4.mul(v, b1));
      }
      const ldy = tile.ldy;
      const rows = tile.rows;
      const y0 = tile.y + ((<usize>j) << 2);
      const y1 = y0 + ldy;
      const y2 = y1 + ldy;
      const y3 = y2 + ldy;
      if (rows == 4 && n - j >= 8) {
        v128.store(y0, clamp(f32x4.add(c00, bias0), lo, hi));
        v128.store(y0, clamp(f32x4.add(c01, bias1), lo, hi), 16);
        v128.store(y1, clamp(f32x4.add(c10, bias0), lo, hi));
        v128.store(y1, clamp(f32x4.add(c11, bias1), lo, hi), 16);
        v128.store(y2, clamp(f32x4.add(c20, bias0), lo, hi));
        v128.store(y2, clamp(f32x4.add(c21, bias1), lo, hi), 16);
        v128.store(y3, clamp(f32x4.add(c30, bias0), lo, hi));
        v128.store(y3, clamp(f32x4.add(c31, bias1), lo, hi), 16);
      } else {
        finish(y0, c00, c01, bias0, bias1, lo, hi, n - j);
        if (rows > 1) finish(y1, c10, c11, bias0, bias1, lo, hi, n - j);
        if (rows > 2) finish(y2, c20, c21, bias0, bias1, lo, hi, n - j);
        if (rows > 3) finish(y3, c30, c31, bias0, bias1, lo, hi, n - j);
      }
    }
  }
}

/** One row of `multiply`, read as it is: panels begin to end of w, the same bits. */
export function multiplyRow(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  n: i32,
  k: i32,
  low: f32,
  high: f32,
  begin: i32,
  end: i32,
): void {
  const lo = f32x4.splat(low);
  const hi = f32x4.splat(high);
  const panel = (<usize>k) << 5;
  const last = x + ((<usize>k) << 2);
  w += <usize>begin * panel;
  let j = begin << 3;
  const stop = end << 3;
  // Three panels at once: six chains of sums hide the latency of an addition; eight spill.
  for (; j + 24 <= stop; j += 24, w += panel * 3) {
    let c0 = f32x4.splat(0);
    let c1 = c0;
    let c2 = c0;
    let c3 = c0;
    let c4 = c0;
    let c5 = c0;
    let w0 = w;
    for (let p = x; p < last; p += 4, w0 += 32) {
      const v = v128.load32_splat(p);
      c0 = f32x4.add(c0, f32x4.mul(v, v128.load(w0)));
      c1 = f32x4.add(c1, f32x4.mul(v, v128.load(w0, 16)));
      const w1 = w0 + panel;
      c2 = f32x4.add(c2, f32x4.mul(v, v128.load(w1)));
      c3 = f32x4.add(c3, f32x4.mul(v, v128.load(w1, 16)));
      const w2 = w1 + panel;
      c4 = f32x4.add(c4, f32x4.mul(v, v128.load(w2)));
      c5 = f32x4.add(c5, f32x4.mul(v, v128.load(w2, 16)));
    }
    const out = y + ((<usize>j) << 2);
    finish(out, c0, c1, biasAt(bias, j), biasAt(bias, j + 4), lo, hi, n - j);
    finish(out + 32, c2, c3, biasAt(bias, j + 8), biasAt(bias, j + 12), lo, hi, n - j - 8);
    finish(out + 64, c4, c5, biasAt(bias, j + 16), biasAt(bias, j + 20), lo, hi, n - j - 16);
  }
  for (; j < stop; j += 8) {
    let c0 = f32x4.splat(0);
    let c1 = c0;
    for (let p = x; p < last; p += 4, w += 32) {
      const v = v128.load32_splat(p);
      c0 = f32x4.add(c0, f32x4.mul(v, v128.load(w)));
      c1 = f32x4.add(c1, f32x4.mul(v, v128.load(w, 16)));
    }
    finish(y + ((<usize>j) << 2), c0, c1, biasAt(bias, j), biasAt(bias, j + 4), lo, hi, n - j);
  }
}
