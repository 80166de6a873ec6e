// f32 matrix products on packed weights: gemm by rows, gemv by columns. The tile is in ./tile.

import { interleave4 } from "../lanes/lanes";
import { blockTiles, TILE } from "./sizes";
import { multiply, multiplyRow, Tile } from "./tile";

/**
 * dst = w[n][k] as panels of 8 columns, k = tap·channels + c, zeros where the last panel has no column.
 *
 *   k 0 | c0 | c1 | ... | c7 |
 *   k 1 | c0 | c1 | ... | c7 |
 *
 * w[n][tap][c] lies at n·strideN + tap·strideTap + c·strideC elements: a matrix either way round, or a
 * convolution's kernels. dst holds up(n, 8)·taps·channels f32.
 */
export function packWeights(
  dst: usize,
  w: usize,
  n: i32,
  taps: i32,
  channels: i32,
  strideN: i32,
  strideTap: i32,
  strideC: i32,
): void {
  const row = (<usize>strideN) << 2;
  for (let j = 0; j < n; j += 8) {
    const cols = min(8, n - j);
    for (let tap = 0; tap < taps; tap++) {
      let s = w + ((<usize>(j * strideN + tap * strideTap)) << 2);
      if (cols == 8 && strideC == 1) {
        interleave4(dst, 32, s, s + row, s + 2 * row, s + 3 * row, channels);
        s += 4 * row;
        interleave4(dst + 16, 32, s, s + row, s + 2 * row, s + 3 * row, channels);
        dst += (<usize>channels) << 5;
        continue;
      }
      for (let c = 0; c < channels; c++, s += (<usize>strideC) << 2, dst += 32) {
        if (cols == 8 && strideN == 1) {
          v128.store(dst, v128.load(s));
          v128.store(dst, v128.load(s, 16), 16);
        } else {
          for (let i = 0; i < 8; i++) {
            store<f32>(dst + ((<usize>i) << 2), i < cols ? load<f32>(s + <usize>i * row) : 0);
          }
        }
      }
    }
  }
}

/**
 * y[r][c] = min(max(Σ_k x[r][k]·w[k][c] + bias[c], lo), hi) for rows begin to end. Bias 0: none.
 *
 * x rows are ldx, y rows ldy elements apart; w from packWeights; scratch: gemmScratchBytes(rows, k).
 * Blocks of rows are packed into scratch and stay in cache while the weights pass; one or two rows left over
 * are read where they are.
 */
export function gemm(
  y: usize,
  ldy: i32,
  x: usize,
  ldx: i32,
  w: usize,
  bias: usize,
  scratch: usize,
  n: i32,
  k: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  const out = (<usize>ldy) << 2;
  const row = (<usize>ldx) << 2;
  const panel = (<usize>k) << 4;
  const block = min(blockTiles(k), (end - begin + 3) >> 2) << 2;
  const tiles = scratch + <usize>(block >> 2) * panel;
  for (let i = begin; i < end; i += block) {
    const count = min(block, end - i);
    const rows = (count & 3) < 3 ? count & ~3 : count;
    const from = x + <usize>i * row;
    const to = y + <usize>i * out;
    const last = from + <usize>(rows - 1) * row;
    let a = scratch;
    let at = tiles;
    for (let r = 0; r < rows; r += 4, a += panel, at += TILE) {
      const p = from + <usize>r * row;
      interleave4(a, 16, p, min(p + row, last), min(p + 2 * row, last), min(p + 3 * row, last), k);
      const tile = changetype<Tile>(at);
      tile.a = a;
      tile.y = to + <usize>r * out;
      tile.ldy = out;
      tile.rows = min(4, rows - r);
    }
    multiply(tiles, (rows + 3) >> 2, w, bias, n, k, lo, hi);
    for (let r = rows; r < count; r++) {
      const one = <usize>r;
      multiplyRow(to + one * out, from + one * row, w, bias, n, k, lo, hi, 0, (n + 7) >> 3);
    }
  }
}

/** y[c] = min(max(Σ_k x[k]·w[k][c] + bias[c], lo), hi) for 8-column panels begin to end: a row of gemm, bit for bit. */
export function gemv(
  y: usize,
  x: usize,
  w: usize,
  bias: usize,
  n: i32,
  k: i32,
  lo: f32,
  hi: f32,
  begin: i32,
  end: i32,
): void {
  multiplyRow(y, x, w, bias, n, k, lo, hi, begin, end);
}
