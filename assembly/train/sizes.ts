// Bytes of scratch of the training kernels, for them and for their host.

import { convTransposeScratchBytes, gemmScratchBytes } from "../f32/sizes";
import { larger, quotient, smaller, up } from "../lanes/whole";
import { Window } from "../lanes/window";
import { LAYER } from "../recurrent/sizes";

// ---- weight gradients of products ----

/** Rows that are packed at once, and columns beside them: 256 kB, which stay in the second-level cache. */
export const ROWS: i32 = 256;
export const COLUMNS: i32 = 256;

/** Scratch of productWeightGradient: a block of rows, whichever operand it is of, and a panel of the other. */
export function productWeightGradientScratchBytes(rows: i32, n: i32, k: i32): i32 {
  return smaller(rows, ROWS) * (smaller(up(larger(n, k), 4), COLUMNS) + 8) * 4;
}

// ---- weight gradients of convolutions: a strip of an image as f32 (strip.ts) ----

/** Bytes of a strip, unless few windows would fit: a part of the second-level cache. */
const STRIP: i32 = 64 << 10;

/** Pixels that `count` neighbouring windows meet along one axis. */
export function reach(count: i32, taps: i32, stride: i32, dilation: i32): i32 {
  return (count - 1) * stride + (taps - 1) * dilation + 1;
}

/**
 * How many neighbours of `size` make a strip, where a pixel along the axis takes `bytes`: as many as fit, but enough that
 * no more than half of the strip is met by one window alone.
 */
function neighbours(size: i32, taps: i32, stride: i32, dilation: i32, bytes: i32): i32 {
  const alone = reach(1, taps, stride, dilation);
  return smaller(size, quotient(larger(alone, quotient(STRIP, bytes) - alone), stride) + 1);
}

/** Output columns of a strip whose pixels have so many channels. */
export function stripCols(w: Window, channels: i32): i32 {
  const tall = reach(1, w.kh, w.strideH, w.dilationH);
  return neighbours(w.outW, w.kw, w.strideW, w.dilationW, channels * tall * 4);
}

/** Pixels of a strip's line. */
export function stripWidth(w: Window, channels: i32): i32 {
  return reach(stripCols(w, channels), w.kw, w.strideW, w.dilationW);
}

/** Output rows of a strip. */
export function stripRows(w: Window, channels: i32): i32 {
  if (stripCols(w, channels) < w.outW) return 1;
  return neighbours(w.outH, w.kh, w.strideH, w.dilationH, channels * stripWidth(w, channels) * 4);
}

function stripBytes(w: Window, channels: i32): i32 {
  const lines = reach(stripRows(w, channels), w.kh, w.strideH, w.dilationH);
  return lines * stripWidth(w, channels) * channels * 4 + 16;
}

/** Output channels whose sums are in scratch together. */
export const SUMMED: i32 = 64;

/** Bytes of the offsets of a patch, which has a sum for each of 8 channels behind them. */
export function patchBytes(w: Window): i32 {
  return up(w.kh * w.kw * w.cin, 4) * 4;
}

/** Scratch of convWeightGradient: | a patch's offsets | its sums | a panel of dy | strip |. */
export function convWeightGradientScratchBytes(w: Window): i32 {
  const sums = up(smaller(w.cout, SUMMED), 8) * patchBytes(w);
  const pixels = stripRows(w, w.cin) * stripCols(w, w.cin);
  return patchBytes(w) + sums + pixels * 32 + stripBytes(w, w.cin);
}

/** Channels that share a depthwise strip: a line of the first-level cache a pixel. */
export const LINE: i32 = 16;

/** Taps whose sums are in registers together, of eight channels: V8 loads all of a pixel before it multiplies. */
export const TAPS: i32 = 3;

/** Bytes of the offsets of a depthwise window's taps. */
export function tapsBytes(w: Window): i32 {
  return up(w.kh * w.kw, TAPS) * 4;
}

/** Scratch of depthwiseWeightGradient: | offsets of taps | their sums | the largest strip of up to LINE channels |. */
export function depthwiseWeightGradientScratchBytes(w: Window): i32 {
  let strip: i32 = 0;
  for (let channels = 1; channels <= LINE; channels++) strip = larger(strip, stripBytes(w, channels));
  return tapsBytes(w) * (1 + LINE) + strip;
}

// ---- input gradients of convolutions ----

/** Bytes of images whose gradients are found at once, unless one image takes more: a part of the second-level cache. */
const IMAGES: i32 = 64 << 10;

export function imagesAtOnce(w: Window): i32 {
  const image = larger(w.outH * w.outW * w.cout, w.inH * w.inW * w.cin);
  return larger(1, quotient(IMAGES, larger(1, image) * 4));
}

/** Scratch of convInputGradient: | dy of some images | dx of them, where it is added | scratch of convTranspose |. */
export function convInputGradientScratchBytes(w: Window, adds: boolean): i32 {
  const images = imagesAtOnce(w);
  const found = adds ? w.inH * w.inW * w.cin : 0;
  return images * (w.outH * w.outW * w.cout + found) * 4 + convTransposeScratchBytes(w, images);
}

// ---- sums over codes ----

/** Scratch of depthwiseInt8Sums: its weights as i16. */
export function depthwiseInt8SumsScratchBytes(w: Window): i32 {
  return w.kh * w.kw * up(w.cin, 8) * 2;
}

// ---- recurrent layers ----

/** Scratch of the gradient of a recurrent layer: | layer | `parts` states a row | that of gemm over `depth` |. */
export function recurrentGradientScratchBytes(rows: i32, hidden: i32, parts: i32, depth: i32): i32 {
  return LAYER + rows * hidden * parts * 4 + gemmScratchBytes(rows, depth);
}
