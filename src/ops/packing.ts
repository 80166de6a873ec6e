// Bytes of packed weights and of scratch, as the memory planner needs them: pure functions of shapes.

/** A count, up to a multiple. */
export const up = (count: number, to: number): number => Math.ceil(count / to) * to;

// ---- f32 (assembly/f32/tile.ts) ----

/** Packed rows that gemm and conv keep in cache, tiles of four rows in them at most, and bytes of a tile's entry. */
const [BLOCK_F32, TILES, TILE] = [256 << 10, 512, 16];

/** Weights packed by packWeights: panels of 8 columns. */
export const packedBytes = (n: number, k: number): number => up(n, 8) * k * 4;

/** Scratch of gemm: one block of rows and its tiles. gemv takes none. */
export const gemmScratchBytes = (rows: number, k: number): number => {
  const fit = Math.floor(BLOCK_F32 / Math.max(1, 16 * k));
  return Math.min(Math.ceil(rows / 4), Math.max(1, Math.min(TILES, fit))) * (16 * k + TILE);
};

/** Scratch of conv for so many output rows and kh kernel rows of `run` values: zeros, tiles, one block of kernel rows. */
export const convScratchBytes = (rows: number, outW: number, kh: number, run: number): number => {
  const tiles = rows * Math.ceil(outW / 4);
  const tile = kh * run * 16;
  return up(run * 4, 16) + Math.min(TILES, tiles) * TILE + Math.min(tiles * tile, Math.max(BLOCK_F32, tile));
};

/** Scratch of matMul for a of m rows and b [k][n]: b packed, and what gemm takes. */
export const matMulScratchBytes = (m: number, n: number, k: number): number =>
  packedBytes(n, k) + gemmScratchBytes(m, k);

/** Weights packed by packDepthwise: up to a multiple of 8 channels. */
export const packedDepthwiseBytes = (channels: number, taps: number): number => up(channels, 8) * taps * 4;
