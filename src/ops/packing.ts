// Bytes of packed weights and of scratch, as the memory planner needs them: pure functions of shapes.

// ---- int8: upper bounds over both kernel classes (assembly/kernels/panels-int8.ts) ----

const up = (count: number, to: number): number => Math.ceil(count / to) * to;

/** A block of rows that stays in cache: at least one tile of six rows, at most this many bytes of u8. */
const BLOCK_BYTES = 32 << 10;

/** Weights [rows · k][n] packed by packWeightsInt8: panels of 8 columns, k of each kernel row up to a multiple of 4. */
export const packedInt8Bytes = (n: number, k: number, rows = 1): number => up(n, 8) * rows * up(k, 4);

/** The int32 offsets that packWeightsInt8 writes for n columns. */
export const offsetInt8Bytes = (n: number): number => up(n, 8) * 4;

/** Packed tiles of the largest block: rows of i16, or more rows of u8. */
const blockInt8Bytes = (k: number): number => Math.max(2 * BLOCK_BYTES, 6 * up(k, 16) * 2);

/** Scratch of gemmInt8 and gemmInt8Dynamic: one block of rows. GEMV's is that of one row. */
export const gemmInt8ScratchBytes = (rows: number, k: number): number =>
  Math.min(up(rows, 4) * up(k, 16) * 2 + 16, blockInt8Bytes(k));

/** Scratch of convInt8 for kh rows of k = kw · cin codes: an image, a kernel row of six lanes, and a strip. */
export const convInt8ScratchBytes = (outH: number, kh: number, k: number): number =>
  64 +
  6 * (k + 16) +
  8 * up(k, 4) * kh * Math.min(outH, 1 + Math.ceil(BLOCK_BYTES / (4 * up(k, 4) * kh))) +
  128;

/** Weights [channels][taps] packed by packDepthwiseInt8: 64 bytes for 16 channels of a pair of taps. */
export const packedDepthwiseInt8Bytes = (channels: number, taps: number): number =>
  up(channels, 16) * up(taps, 2) * 2;

/** The int32 offsets that packDepthwiseInt8 writes. */
export const offsetDepthwiseInt8Bytes = (channels: number): number => up(channels, 16) * 4;

/** Scratch of depthwiseInt8: two tables of taps and a row of zero-point codes. */
export const depthwiseInt8ScratchBytes = (channels: number, taps: number): number =>
  up(taps, 4) * 8 + up(channels, 16);

// ---- end of int8 ----

// ---- f32 (assembly/tile.ts) ----

/** Rows that gemm and conv pack at once: 256 KiB of them, a multiple of 4, at least one tile. */
const blockRows = (k: number): number => Math.max(4, Math.floor((256 << 10) / Math.max(4, 4 * k)) & ~3);

/** Weights packed by packWeights: panels of 8 columns. */
export const packedBytes = (n: number, k: number): number => up(n, 8) * k * 4;

/** Scratch of gemm: one block of rows. gemv takes none. */
export const gemmScratchBytes = (rows: number, k: number): number =>
  Math.min(up(rows, 4), blockRows(k)) * k * 4;

/** Scratch of conv for patches of k = kh · kw · cin, `pixels` of them at most: zeros, then a block. */
export const convScratchBytes = (k: number, pixels = Infinity): number =>
  up(k * 4, 16) + gemmScratchBytes(pixels, k);

/** Weights packed by packDepthwise: up to a multiple of 8 channels. */
export const packedDepthwiseBytes = (channels: number, taps: number): number => up(channels, 8) * taps * 4;
