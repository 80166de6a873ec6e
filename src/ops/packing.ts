// Bytes of packed weights and of scratch, as the memory planner needs them: pure functions of shapes.

import type { Window } from "./window";

// ---- int8: upper bounds over the kernel classes (assembly/int8/panels.ts) ----

/** A count, up to a multiple. */
export const up = (count: number, to: number): number => Math.ceil(count / to) * to;

/** A block of rows that stays in cache: at least one tile of six rows, at most this many bytes of u8. */
const BLOCK_BYTES = 32 << 10;

/** Columns of the panels that lie beside each other where a vector meets them. */
export const BESIDE_COLUMNS = 32;

/** Weights [rows · k][n] packed by packWeightsInt8: so many columns at a time, k of each kernel row up to a multiple of 4. */
export const packedInt8Bytes = (n: number, k: number, rows = 1, columns = 8): number =>
  up(n, columns) * rows * up(k, 4);

/** The int32 offsets that packWeightsInt8 writes for n columns. */
export const offsetInt8Bytes = (n: number): number => up(n, 8) * 4;

/** How results become codes, at the start of scratch. */
const CODES_BYTES = 128;

/** Packed tiles of the largest block: rows of i16, or more rows of u8. */
const blockInt8Bytes = (k: number): number => Math.max(2 * BLOCK_BYTES, 6 * up(k, 16) * 2);

/** Scratch of gemmInt8 and gemmInt8Dynamic: one block of rows. GEMV's is that of one row. */
export const gemmInt8ScratchBytes = (rows: number, k: number): number =>
  CODES_BYTES + Math.min(up(rows, 4) * up(k, 16) * 2 + 16, blockInt8Bytes(k));

/** Scratch of convInt8 for kh rows of k = kw · cin codes: an image, a kernel row of six lanes, and a strip. */
export const convInt8ScratchBytes = (outH: number, kh: number, k: number): number =>
  CODES_BYTES +
  64 +
  6 * (k + 16) +
  8 * up(k, 4) * kh * Math.min(outH, 1 + Math.ceil(BLOCK_BYTES / (4 * up(k, 4) * kh))) +
  128;

/** Rows of a window that are added up at once: baseline and extmul, relaxed. */
const GROUPS = [2, 4] as const;

/** Pixels of depthwise convolution whose columns are in scratch together: of a row, of all rows. */
const [SEGMENT, PIXELS] = [64, 128];

type DepthwiseWindow = Pick<Window, "outW" | "kh" | "kw" | "strideH" | "strideW" | "dilationH" | "dilationW">;

/** How depthwise-panels.ts cuts a window's rows: groups of taps, and output rows that share zipped rows. */
function turnOf({ kh, strideH, dilationH }: DepthwiseWindow, group: number) {
  const groups = Math.ceil(kh / group);
  return { groups, turn: dilationH === 1 ? Math.floor((groups * group - kh) / strideH) + 1 : 1 };
}

/** Weights packed by packDepthwiseInt8: 32 bytes for 8 channels of a group of taps, once for each row of a turn. */
export const packedDepthwiseInt8Bytes = (channels: number, window: DepthwiseWindow): number =>
  Math.max(
    ...GROUPS.map((group) => {
      const { groups, turn } = turnOf(window, group);
      return up(channels, 8) * turn * groups * window.kw * 4;
    }),
  );

/** The int32 offsets that packDepthwiseInt8 writes. */
export const offsetDepthwiseInt8Bytes = (channels: number): number => up(channels, 8) * 4;

/** Scratch of depthwiseInt8: blank codes, a table of columns, and planes of zipped rows. */
export const depthwiseInt8ScratchBytes = (window: DepthwiseWindow): number =>
  Math.max(
    ...GROUPS.map((group) => {
      const { kw, outW, strideH, strideW, dilationH, dilationW } = window;
      const { groups, turn } = turnOf(window, group);
      const period = dilationW === 1 ? strideW : kw;
      const width = Math.min(outW, SEGMENT);
      const plane = Math.min(period, kw) * (width + Math.floor((kw - 1) / period)) * 32;
      const turns = Math.max(1, Math.floor(PIXELS / (turn * width)));
      const reach = group / (turn * strideH);
      const shared = dilationH === 1 && Number.isInteger(reach);
      const planes = shared ? turns + (groups - 1) * reach : turns * groups;
      return 16 + up(groups * kw, 4) * 4 + planes * plane;
    }),
  );

// ---- end of int8 ----

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
