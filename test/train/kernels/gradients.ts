// What the tests of gradient kernels share: ranges over any dimension of the output, closeness to a float64 oracle, and
// windows with their taps, one by one.

import { expect } from "vitest";
import type { Window } from "../../../src/ops/window";
import { brokenGuard, expectSame, int, type random } from "../../kernels/harness";

const UNTOUCHED = 0xa5;

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/**
 * Runs a kernel over its whole range, then over a random piece, which must write the same bytes there and none
 * elsewhere, then over what is left around it. Leaves the whole result in y; `ownerOf` is where in the range an element
 * belongs.
 */
export function inRanges(
  y: Float32Array | Int32Array,
  length: number,
  ownerOf: (element: number) => number,
  next: ReturnType<typeof random>,
  run: (begin: number, end: number) => void,
): void {
  bytesOf(y).fill(UNTOUCHED);
  const untouched = y.slice();
  run(0, length);
  const whole = y.slice();
  const [begin, end] = [int(next, 0, length), int(next, 0, length)].sort((a, b) => a - b) as [number, number];
  y.set(untouched);
  run(begin, end);
  const expected = whole.map((value, i) => {
    const owner = ownerOf(i);
    return begin <= owner && owner < end ? value : untouched[i]!;
  });
  expectSame(y, expected, `elements of ${begin} to ${end}`);
  run(end, length);
  run(0, begin);
  expectSame(y, whole, `pieces 0, ${begin}, ${end}, ${length}`);
  expect(brokenGuard()).toBeUndefined();
}

/** max|got − want| ≤ 1e-5 · max|want| */
export function expectClose(got: Float32Array, want: Float64Array): void {
  expect(got.length).toBe(want.length);
  const worst = want.reduce((worst, value, i) => Math.max(worst, Math.abs(got[i]! - value)), 0);
  const largest = want.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  expect(worst).toBeLessThanOrEqual(1e-5 * largest);
}

/** The numbers of codes, as kernels see them. */
export const numbersOf = (codes: Uint8Array, scale: number, zero: number): Float32Array =>
  Float32Array.from(codes, (q) => Math.fround(q - zero) * scale);

/** A window over a batch of known size; its channels are the test's. */
export type TestWindow = Window & { readonly batch: number };

// batch, inH, inW, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft, padBottom, padRight
const WINDOWS = [
  [0, 3, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0],
  [2, 5, 7, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1],
  [3, 9, 8, 3, 3, 2, 2, 1, 1, 0, 0, 1, 1],
  [2, 8, 17, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1],
  [1, 12, 13, 5, 5, 3, 2, 1, 1, 2, 2, 2, 2],
  [2, 7, 9, 5, 5, 1, 1, 1, 1, 2, 2, 2, 2],
  [1, 7, 6, 3, 2, 1, 2, 2, 3, 2, 3, 1, 0],
  [1, 9, 11, 3, 3, 2, 3, 2, 3, 3, 4, 1, 2],
  [1, 10, 12, 2, 3, 4, 2, 2, 4, 0, 3, 1, 1],
  [3, 4, 3, 2, 3, 1, 1, 1, 1, 0, 2, 1, 2],
  [1, 4, 5, 1, 1, 1, 1, 1, 1, 2, 3, 1, 0],
  [2, 9, 7, 1, 1, 2, 3, 1, 1, 0, 0, 0, 0],
  [1, 11, 10, 2, 2, 3, 4, 1, 1, 0, 1, 0, 0],
  [1, 1, 400, 1, 5, 1, 1, 1, 9, 0, 3, 0, 20],
] as const;

const outSize = (size: number, k: number, stride: number, dilation: number, pads: number) =>
  Math.floor((size + pads - (k - 1) * dilation - 1) / stride) + 1;

export function testWindow(numbers: readonly number[]): TestWindow {
  const [batch, inH, inW, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft] =
    numbers as readonly [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
  const [coverH, coverW] = [inH + numbers[11]!, inW + numbers[12]!];
  const outH = outSize(coverH, kh, strideH, dilationH, padTop);
  const outW = outSize(coverW, kw, strideW, dilationW, padLeft);
  const steps = { strideH, strideW, dilationH, dilationW };
  const image = { batch, channels: 0, inH, inW, outH, outW, outer: [], outSpatial: [outH, outW] };
  return { ...image, kh, kw, ...steps, padTop, padLeft, coverH, coverW };
}

/** Windows with their numbers as their tests' titles. */
export const windows = WINDOWS.map((numbers) => [numbers.join(" "), testWindow(numbers)] as const);

/** Visits every output pixel with every input pixel that it meets, and the tap by which it does. */
export function eachTap(w: TestWindow, visit: (output: number, input: number, tap: number) => void): void {
  for (let image = 0; image < w.batch; image++)
    for (let oy = 0; oy < w.outH; oy++)
      for (let ox = 0; ox < w.outW; ox++)
        for (let ky = 0; ky < w.kh; ky++)
          for (let kx = 0; kx < w.kw; kx++) {
            const iy = oy * w.strideH - w.padTop + ky * w.dilationH;
            const ix = ox * w.strideW - w.padLeft + kx * w.dilationW;
            if (iy < 0 || iy >= w.inH || ix < 0 || ix >= w.inW) continue;
            const output = (image * w.outH + oy) * w.outW + ox;
            visit(output, (image * w.inH + iy) * w.inW + ix, ky * w.kw + kx);
          }
}
