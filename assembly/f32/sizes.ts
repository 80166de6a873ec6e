// Bytes of packed weights and of scratch of the f32 kernels, for them and for their host.

import { larger, quotient, smaller, up } from "../lanes/whole";
import { WINDOW_BYTES, Window } from "../lanes/window";

/** Bytes of packed rows kept in the second-level cache while all columns stream past them. */
export const BLOCK: i32 = 256 << 10;

/** Tiles in a block at most. */
export const TILES: i32 = 512;

/** Bytes of a Tile (tile.ts). */
export const TILE: i32 = 16;

/** Weights packed by packWeights: panels of 8 columns. */
export function packedBytes(n: i32, k: i32): i32 {
  return up(n, 8) * k * 4;
}

/** Tiles of k steps packed at once. */
export function blockTiles(k: i32): i32 {
  return larger(1, smaller(TILES, quotient(BLOCK, larger(1, k * 16))));
}

/** Scratch of gemm: | one block of rows | its tiles |. gemv takes none. */
export function gemmScratchBytes(rows: i32, k: i32): i32 {
  return smaller(up(rows, 4) / 4, blockTiles(k)) * (k * 16 + TILE);
}

/** Scratch of matMul for a of m rows and b [k][n]: | b, packed | what gemm takes |. */
export function matMulScratchBytes(m: i32, n: i32, k: i32): i32 {
  return packedBytes(n, k) + gemmScratchBytes(m, k);
}

/** Zeros as many as one row of a kernel. */
export function zerosBytes(run: i32): i32 {
  return up(run * 4, 16);
}

/** Tiles that a convolution of so many output rows packs at once, if they have room. */
export function convTiles(rows: i32, outW: i32): i32 {
  return smaller(TILES, rows * (up(outW, 4) / 4));
}

/** Scratch of conv for so many output rows and kh kernel rows of `run` values: | zeros | tiles | one block of kernel rows |. */
export function convScratchBytes(rows: i32, outW: i32, kh: i32, run: i32): i32 {
  const tile = kh * run * 16;
  const packed = smaller(rows * (up(outW, 4) / 4) * tile, larger(BLOCK, tile));
  return zerosBytes(run) + convTiles(rows, outW) * TILE + packed;
}

/** Weights packed by packDepthwise: up to a multiple of 8 channels. */
export function packedDepthwiseBytes(channels: i32, taps: i32): i32 {
  return packedBytes(channels, taps);
}

/** Weights packed by packConvTranspose: every tap belongs to one phase of the strides. */
export function packedConvTransposeBytes(w: Window): i32 {
  return packedBytes(w.cin, w.kh * w.kw * w.cout);
}

/** Scratch of convTranspose for a batch: | Window | that of conv for the largest phase, which has no stride |. */
export function convTransposeScratchBytes(w: Window, batch: i32): i32 {
  const rows = batch * (up(w.inH, w.strideH) / w.strideH);
  return WINDOW_BYTES + convScratchBytes(rows, up(w.inW, w.strideW) / w.strideW, w.kh, w.kw * w.cout);
}
