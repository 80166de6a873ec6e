// What the int8 kernels and their host both know: how scratch and packed operands are laid out, for every kernel tier, and what
// becomes of sums. Sizes that depend on the tier are those of the largest.

import { larger, quotient, smaller, up } from "../lanes/whole";
import { Window } from "../lanes/window";

// ---- scales ----

/** Smallest normal f32. A smaller scale has lost bits, so it counts as zero. */
export const SMALLEST_SCALE: f32 = 1.1754943508222875e-38;

/** Bias codes stay below this: with at most MAX_REDUCTION products of u8 and s8 a sum stays in i32. Half of it is left to bias correction. */
export const BIAS_LIMIT: i32 = 1 << 30;

// ---- epilogues ----

/** Sums become u8 codes; codes to which others are added; i32 as they are; or f32. */
export const REQUANTIZE: i32 = 0;
export const ADD: i32 = 1;
export const SUMS: i32 = 2;
export const DEQUANTIZE: i32 = 3;

/** What becomes of a product's sums, as kernels read it from memory: f32, in this order. Codes and zero points are whole. */
export class Epilogue {
  kind: f32 = 0;
  /** Zero point of y's codes, and their bounds; of DEQUANTIZE the bounds of its results. */
  zero: f32 = 0;
  lo: f32 = 0;
  hi: f32 = 0;
  /** Of ADD: how y's own codes and the others stand for numbers, and how their sums become codes. */
  ownScale: f32 = 0;
  otherScale: f32 = 0;
  otherZero: f32 = 0;
  sumScale: f32 = 0;
  sumZero: f32 = 0;
  sumLo: f32 = 0;
  sumHi: f32 = 0;
  /** Of DEQUANTIZE: 1 where each row has a scale and a zero point of its own, 0 where all have one. */
  rowStride: f32 = 0;
}

/** How codes of x stand for numbers that become codes of y, as kernels read it: f32, in this order. */
export class Rescale {
  xScale: f32 = 0;
  xZero: f32 = 0;
  yScale: f32 = 0;
  yZero: f32 = 0;
  lo: f32 = 0;
  hi: f32 = 0;
}

/** Bytes at the start of scratch of what results become codes with (epilogue.ts). */
export const CODES: i32 = 144;

// ---- matrix products ----

/** Bytes of u8 rows that stay close while all panels of w stream past them. */
export const BLOCK: i32 = 32 << 10;

/** Rows of a tile of x, and bytes that each k takes in one, where products are of 16 bits (16) or of bytes (8). */
export const ROWS_16: i32 = 4;
export const ROWS_8: i32 = 6;
export const STEP_16: i32 = 8;
export const STEP_8: i32 = 6;

/** Values of k that are added up at once: baseline and extmul, relaxed. */
export const PAIR: i32 = 2;
export const FOUR: i32 = 4;

/** Panels that lie beside each other where a vector meets them, and their columns. */
export const BESIDE: i32 = 4;
export const BESIDE_COLUMNS: i32 = 32;

/** Bytes of one panel of w: 8 columns, k up to a multiple of 4 with zeros. */
export function panelBytes(k: i32): i32 {
  return up(k, 4) * 8;
}

/** Bytes of weights [kernel rows · k][n] packed by packWeightsInt8, so many columns at a time. */
export function packedInt8Bytes(n: i32, k: i32, kernelRows: i32, columns: i32): i32 {
  return (up(n, columns) / 8) * kernelRows * panelBytes(k);
}

/** Bytes of the i32 offsets that packWeightsInt8 and packDepthwiseInt8 write. */
export function offsetInt8Bytes(n: i32): i32 {
  return up(n, 8) * 4;
}

/** Bytes of one row of x in scratch. */
export function rowBytes(k: i32): i32 {
  return up(k, 16);
}

/** Most rows of a block. */
export function mostRows(k: i32, tileRows: i32): i32 {
  return larger(1, quotient(BLOCK, rowBytes(larger(k, 1)) * tileRows)) * tileRows;
}

function blockBytes(rows: i32, k: i32, tileRows: i32, step: i32): i32 {
  return (smaller(up(rows, tileRows), mostRows(k, tileRows)) / tileRows) * rowBytes(k) * step;
}

/** Scratch of gemmInt8 and, for one row, of gemvInt8: | codes | tiles of one block of rows, or one row of i16 |. */
export function gemmInt8ScratchBytes(rows: i32, k: i32): i32 {
  const tiles = larger(blockBytes(rows, k, ROWS_16, STEP_16), blockBytes(rows, k, ROWS_8, STEP_8));
  return CODES + larger(tiles, rowBytes(k) * 2 + 16);
}

// ---- convolutions ----

/** Bytes from one gathered kernel row to the next: up to 15 more are written. */
export function slotBytes(codes: i32): i32 {
  return codes + 16;
}

/** Kernel rows of `depth` values that a strip has room for. */
export function stripRows(depth: i32, tileRows: i32): i32 {
  return quotient(BLOCK, larger(1, depth * tileRows));
}

function stripBytes(w: Window, tileRows: i32, step: i32, group: i32): i32 {
  const codes = w.kw * w.cin;
  const depth = up(codes, group);
  const rows = smaller(larger(w.kh, stripRows(depth, tileRows)), w.outH * w.kh);
  return tileRows * slotBytes(codes) + ((rows - 1) * depth + rowBytes(codes)) * step;
}

/** Scratch of convInt8: | codes | a kernel row of each lane | strip |. */
export function convInt8ScratchBytes(w: Window): i32 {
  const pairs = larger(stripBytes(w, ROWS_16, STEP_16, PAIR), stripBytes(w, ROWS_8, STEP_8, PAIR));
  return CODES + larger(pairs, stripBytes(w, ROWS_8, STEP_8, FOUR));
}

// ---- depthwise convolutions ----

/** Pixels of a row that are in scratch together, and pixels of all rows: a part of the first-level cache. */
export const SEGMENT: i32 = 64;
export const PIXELS: i32 = 128;

/** Groups that the taps of a column make. */
export function groupsOf(w: Window, group: i32): i32 {
  return quotient(w.kh + group - 1, group);
}

/** Output rows that read the same zipped rows, each with its taps shifted: as many as there is room for in the last group. */
export function turnRows(w: Window, group: i32): i32 {
  return w.dilationH == 1 ? quotient(groupsOf(w, group) * group - w.kh, w.strideH) + 1 : 1;
}

/** How many turns further on the rows of a turn's second group are those of the first; 0: of no turn. */
export function reachOf(w: Window, group: i32): i32 {
  const advance = turnRows(w, group) * w.strideH;
  return w.dilationH == 1 && group % advance == 0 ? group / advance : 0;
}

/** Columns of the window that a pixel and the next have between them: columns so many apart lie side by side in scratch. */
export function periodOf(w: Window): i32 {
  return w.dilationW == 1 ? w.strideW : w.kw;
}

/** Bytes of one run of a plane, of the pixels that are in scratch together. */
export function pitchOf(w: Window): i32 {
  return (smaller(w.outW, SEGMENT) + quotient(w.kw - 1, periodOf(w))) * 32;
}

export function planeBytes(w: Window): i32 {
  return smaller(periodOf(w), w.kw) * pitchOf(w);
}

/** Turns whose output rows are done together. */
export function turnsAtOnce(w: Window, group: i32): i32 {
  return larger(1, quotient(PIXELS, turnRows(w, group) * smaller(w.outW, SEGMENT)));
}

/** Bytes of the offsets of a window's columns. */
export function tableBytes(w: Window, group: i32): i32 {
  return up(groupsOf(w, group) * w.kw, 4) * 4;
}

/** Bytes of a panel of depthwise weights: 8 channels of each column of every group. */
export function depthwisePanelBytes(w: Window, group: i32): i32 {
  return w.kw * groupsOf(w, group) * 32;
}

function depthwiseBytes(w: Window, group: i32): i32 {
  const groups = groupsOf(w, group);
  const reach = reachOf(w, group);
  const turns = turnsAtOnce(w, group);
  const planes = reach > 0 ? turns + (groups - 1) * reach : turns * groups;
  return 16 + tableBytes(w, group) + planes * planeBytes(w);
}

/** Scratch of depthwiseInt8: | blank codes | offsets of columns | planes of zipped rows |. */
export function depthwiseInt8ScratchBytes(w: Window): i32 {
  return larger(depthwiseBytes(w, PAIR), depthwiseBytes(w, FOUR));
}

/** Bytes of weights packed by packDepthwiseInt8: a panel for each row of a turn. */
export function packedDepthwiseInt8Bytes(w: Window): i32 {
  const pairs = turnRows(w, PAIR) * depthwisePanelBytes(w, PAIR);
  return (up(w.cin, 8) / 8) * larger(pairs, turnRows(w, FOUR) * depthwisePanelBytes(w, FOUR));
}
