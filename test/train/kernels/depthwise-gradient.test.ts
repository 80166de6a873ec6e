import { beforeEach, describe, expect, test } from "vitest";
import { packedDepthwiseBytes } from "../../../assembly/f32/sizes";
import { WINDOW_BYTES } from "../../../assembly/lanes/window";
import {
  depthwiseInt8SumsScratchBytes,
  depthwiseWeightGradientScratchBytes,
} from "../../../assembly/train/sizes";
import { alloc, fillFloats, fillInts, loadTrain, random, reset } from "../../kernels/harness";
import { window, windowAt } from "../../kernels/structs";
import { eachTap, expectClose, inRanges, numbersOf, type TestWindow, testWindow, windows } from "./gradients";

const kernels = loadTrain();
beforeEach(reset);

const SCALE = Math.fround(0.023);
const ZERO = 97;
const CHANNELS = [1, 3, 8, 17, 37];

/** Every window with every number of channels. */
const cases = CHANNELS.flatMap((channels) => windows.map(([name, w]) => [name, channels, w] as const));

const pixelsOf = (w: TestWindow) => [w.batch * w.inH * w.inW, w.batch * w.outH * w.outW] as const;

function checkWeights(w: TestWindow, channels: number): void {
  const next = random(w.inH * w.inW + channels);
  const [pixels, outPixels] = pixelsOf(w);
  const taps = w.kh * w.kw;
  const dy = fillFloats(alloc(Float32Array, outPixels * channels), next, -1, 1);
  const codes = fillInts(alloc(Uint8Array, pixels * channels), next, 0, 255);
  const x = alloc(Float32Array, codes.length);
  x.set(numbersOf(codes, SCALE, ZERO));
  const dw = alloc(Float32Array, channels * taps);
  const { slide, at: windowAddress } = window(w, channels);
  const scratch = alloc(Uint8Array, depthwiseWeightGradientScratchBytes(slide));
  const want = new Float64Array(dw.length);
  eachTap(w, (output, input, tap) => {
    for (let c = 0; c < channels; c++)
      want[c * taps + tap]! += dy[output * channels + c]! * x[input * channels + c]!;
  });
  const sizes = [w.batch, windowAddress] as const;
  const ownerOf = (i: number) => Math.floor(i / taps);
  const [to, at, s] = [dw.byteOffset, dy.byteOffset, scratch.byteOffset];
  inRanges(dw, channels, ownerOf, next, (begin, end) =>
    kernels.depthwiseWeightGradient(to, at, x.byteOffset, s, ...sizes, 0, 1, 0, begin, end),
  );
  expectClose(dw, want);
  const ofNumbers = dw.slice();
  inRanges(dw, channels, ownerOf, next, (begin, end) =>
    kernels.depthwiseWeightGradient(to, at, codes.byteOffset, s, ...sizes, 1, SCALE, ZERO, begin, end),
  );
  expect(dw).toEqual(ofNumbers);
}

describe("depthwiseWeightGradient: 1e-5 of float64", () => {
  test.each(cases)("%s, %i channels", (_, channels, w) => checkWeights(w, channels));

  test("an image of several strips", () =>
    checkWeights(testWindow([1, 70, 60, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1]), 18));

  test("a line of several strips, strides and dilation", () =>
    checkWeights(testWindow([1, 3, 1201, 3, 3, 1, 2, 1, 5, 1, 5, 1, 5]), 17));
});

describe("depthwiseTranspose: 1e-5 of float64", () => {
  test.each(cases)("%s, %i channels", (_, channels, w) => {
    const next = random(w.inH * w.inW + channels);
    const [pixels, outPixels] = pixelsOf(w);
    const taps = w.kh * w.kw;
    const dy = fillFloats(alloc(Float32Array, outPixels * channels), next, -1, 1);
    const weights = fillFloats(alloc(Float32Array, channels * taps), next, -1, 1);
    const dx = alloc(Float32Array, pixels * channels);
    const packed = alloc(Uint8Array, packedDepthwiseBytes(channels, w.kh * w.kw));
    const want = new Float64Array(dx.length);
    eachTap(w, (output, input, tap) => {
      for (let c = 0; c < channels; c++)
        want[input * channels + c]! += dy[output * channels + c]! * weights[c * taps + tap]!;
    });
    const { at } = window(w, channels);
    const scratch = alloc(Uint8Array, WINDOW_BYTES);
    kernels.packDepthwiseTranspose(packed.byteOffset, weights.byteOffset, at);
    const operands = [dx.byteOffset, dy.byteOffset, packed.byteOffset, 0, scratch.byteOffset, at] as const;
    const ownerOf = (i: number) => Math.floor(i / (w.inW * channels));
    inRanges(dx, w.batch * w.inH, ownerOf, next, (begin, end) =>
      kernels.depthwiseTranspose(...operands, -Infinity, Infinity, begin, end),
    );
    expectClose(dx, want);
  });
});

describe("depthwiseInt8Sums: exact", () => {
  test.each(cases)("%s, %i channels", (_, channels, w) => {
    const next = random(w.inH * w.inW + channels);
    const [pixels, outPixels] = pixelsOf(w);
    const taps = w.kh * w.kw;
    const x = fillInts(alloc(Uint8Array, pixels * channels), next, 0, 255);
    const weights = fillInts(alloc(Int8Array, channels * taps), next, -128, 127);
    const bias = fillInts(alloc(Int32Array, channels), next, -(2 ** 29), 2 ** 29);
    const y = alloc(Int32Array, outPixels * channels);
    const { slide } = window(w, channels);
    const scratch = alloc(Uint8Array, depthwiseInt8SumsScratchBytes(slide));
    for (const [zero, b] of [
      [0, bias],
      [97, undefined],
      [255, bias],
    ] as const) {
      const want = Int32Array.from(y, (_, i) => b?.[i % channels] ?? 0);
      eachTap(w, (output, input, tap) => {
        for (let c = 0; c < channels; c++)
          want[output * channels + c]! += (x[input * channels + c]! - zero) * weights[c * taps + tap]!;
      });
      const operands = [y.byteOffset, x.byteOffset, weights.byteOffset, b?.byteOffset ?? 0] as const;
      const at = windowAt(slide, { outside: zero });
      const ownerOf = (i: number) => Math.floor(i / (w.outW * channels));
      inRanges(y, w.batch * w.outH, ownerOf, next, (begin, end) =>
        kernels.depthwiseInt8Sums(...operands, scratch.byteOffset, at, begin, end),
      );
      expect(y).toEqual(want);
    }
  });
});
