// Bytes of scratch of the training kernels, as the memory planner needs them: pure functions of shapes.

import { convScratchBytes, packedBytes, packedDepthwiseBytes, up } from "../../ops/packing";
import type { Window } from "../../ops/window";

/** Rows and columns that the weight gradient of a product packs at once (assembly/train/product-gradient.ts). */
const [ROWS, COLUMNS] = [256, 256];

/** Scratch of productWeightGradient and …Codes: a block of rows, whichever operand it is of, and a panel of the other. */
export const productWeightGradientScratchBytes = (rows: number, n: number, k: number): number =>
  Math.min(rows, ROWS) * (Math.min(up(Math.max(n, k), 4), COLUMNS) + 8) * 4;

// ---- weight gradients of convolutions (assembly/train/strip.ts, conv-weight-gradient.ts) ----

/** Bytes of a strip of an image, unless few windows would fit, and output channels that meet it. */
const [STRIP, CHANNELS] = [64 << 10, 64];

const reach = (count: number, taps: number, stride: number, dilation: number): number =>
  (count - 1) * stride + (taps - 1) * dilation + 1;

function neighbours(size: number, taps: number, stride: number, dilation: number, bytes: number): number {
  const alone = reach(1, taps, stride, dilation);
  return Math.min(size, Math.floor(Math.max(alone, Math.floor(STRIP / bytes) - alone) / stride) + 1);
}

/** Output pixels of a strip whose pixels have so many channels, and bytes of it. */
function stripOf(w: Window, channels: number) {
  const bytes = channels * 4;
  const cols = neighbours(
    w.outW,
    w.kw,
    w.strideW,
    w.dilationW,
    bytes * reach(1, w.kh, w.strideH, w.dilationH),
  );
  const width = bytes * reach(cols, w.kw, w.strideW, w.dilationW);
  const rows = cols < w.outW ? 1 : neighbours(w.outH, w.kh, w.strideH, w.dilationH, width);
  return { pixels: rows * cols, bytes: width * reach(rows, w.kh, w.strideH, w.dilationH) + 16 };
}

/** Scratch of convWeightGradient and …Codes of one group: a patch's offsets, sums, a panel of dy, a strip of x. */
export const convWeightGradientScratchBytes = (window: Window, cin: number, cout: number): number => {
  const patch = up(window.kh * window.kw * cin, 4) * 4;
  const { pixels, bytes } = stripOf(window, cin);
  return patch + Math.ceil(Math.min(cout, CHANNELS) / 8) * patch * 8 + pixels * 32 + bytes;
};

/** Channels of a depthwise strip, and taps summed together. */
const [LINE, TAPS] = [16, 3];

/** Scratch of depthwiseWeightGradient and …Codes: offsets of taps, their sums, the largest strip of up to LINE channels. */
export const depthwiseWeightGradientScratchBytes = (window: Window): number => {
  const taps = up(window.kh * window.kw, TAPS) * 4;
  const strips = Array.from({ length: LINE }, (_, i) => stripOf(window, i + 1).bytes);
  return taps + taps * LINE + Math.max(...strips);
};

// ---- input gradients of convolutions (assembly/train/conv-input-gradient.ts, depthwise-input-gradient.ts) ----

/** One group's weights packed by packInputGradientWeights: every tap belongs to one phase of the strides. */
export const packedInputGradientBytes = ({ kh, kw }: Window, cin: number, cout: number): number =>
  packedBytes(cin, kh * kw * cout);

/** Weights packed by packDepthwiseInputGradient: as many as those of packDepthwise. */
export const packedDepthwiseInputGradientBytes = ({ kh, kw }: Window, channels: number): number =>
  packedDepthwiseBytes(channels, kh * kw);

/** Scratch of convInputGradient of one group for a batch: that of conv for the largest phase, which has no stride. */
export const convInputGradientScratchBytes = (window: Window, batch: number, cout: number): number => {
  const { inH, inW, kh, kw, strideH, strideW } = window;
  const rows = batch * Math.ceil(inH / strideH);
  return convScratchBytes(rows, Math.ceil(inW / strideW), kh, kw * cout);
};

/** Bytes of images whose gradients are found at once. */
const IMAGES = 64 << 10;

/** Scratch of convInputGradientByImage: gradients of some images, two where they are added, and that of convInputGradient. */
export const convInputGradientByImageScratchBytes = (
  window: Window,
  cin: number,
  cout: number,
  adds: boolean,
): number => {
  const [from, to] = [window.outH * window.outW * cout * 4, window.inH * window.inW * cin * 4];
  const images = Math.max(1, Math.floor(IMAGES / Math.max(4, from, to)));
  return images * (from + (adds ? to : 0)) + convInputGradientScratchBytes(window, images, cout);
};

// ---- over codes ----

/** Scratch of depthwiseInt8Sums: its weights as i16 (assembly/train/depthwise-sums.ts). */
export const depthwiseInt8SumsScratchBytes = ({ kh, kw }: Window, channels: number): number =>
  kh * kw * up(channels, 8) * 2;
