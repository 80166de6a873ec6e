import { beforeEach, describe, expect, test } from "vitest";
import { convWeightGradientScratchBytes } from "../../../assembly/train/sizes";
import { alloc, fillFloats, fillInts, int, loadTrain, random, reset } from "../../kernels/harness";
import { window } from "../../kernels/structs";
import { eachTap, expectClose, inRanges, numbersOf, type TestWindow, testWindow, windows } from "./gradients";

const kernels = loadTrain();
beforeEach(reset);

const SCALE = Math.fround(0.019);
const ZERO = 140;

function check(w: TestWindow, cin: number, cout: number): void {
  const next = random(w.inH * w.inW * cin + cout);
  const [pixels, outPixels] = [w.batch * w.inH * w.inW, w.batch * w.outH * w.outW];
  const [ldx, lddy] = [cin + int(next, 0, 3), cout + int(next, 0, 3)];
  const taps = w.kh * w.kw;
  const dy = fillFloats(alloc(Float32Array, outPixels * lddy), next, -1, 1);
  const codes = fillInts(alloc(Uint8Array, pixels * ldx), next, 0, 255);
  const x = alloc(Float32Array, pixels * ldx);
  x.set(numbersOf(codes, SCALE, ZERO));
  const dw = alloc(Float32Array, cout * cin * taps);
  const { slide, at } = window(w, { cin, ldx, cout, ldy: lddy });
  const scratch = alloc(Uint8Array, convWeightGradientScratchBytes(slide));
  const want = new Float64Array(dw.length);
  eachTap(w, (output, input, tap) => {
    for (let o = 0; o < cout; o++)
      for (let c = 0; c < cin; c++)
        want[(o * cin + c) * taps + tap]! += dy[output * lddy + o]! * x[input * ldx + c]!;
  });
  const head = [dw.byteOffset, dy.byteOffset] as const;
  const tail = [scratch.byteOffset, w.batch, at] as const;
  const ownerOf = (i: number) => Math.floor(i / (cin * taps));
  inRanges(dw, cout, ownerOf, next, (begin, end) =>
    kernels.convWeightGradient(...head, x.byteOffset, ...tail, 0, 1, 0, begin, end),
  );
  expectClose(dw, want);
  const ofNumbers = dw.slice();
  inRanges(dw, cout, ownerOf, next, (begin, end) =>
    kernels.convWeightGradient(...head, codes.byteOffset, ...tail, 1, SCALE, ZERO, begin, end),
  );
  expect(dw).toEqual(ofNumbers);
}

describe("convWeightGradient: 1e-5 of float64", () => {
  for (const [cin, cout] of [
    [1, 1],
    [3, 8],
    [4, 17],
    [17, 5],
  ] as const)
    test.each(windows)(`%s, ${cin} → ${cout} channels`, (_, w) => check(w, cin, cout));

  test("more output channels than a block of sums has", () =>
    check(testWindow([2, 6, 6, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1]), 3, 131));

  test("an image of several strips", () =>
    check(testWindow([2, 60, 50, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1]), 16, 9));

  test("a line of several strips, strides and dilation", () =>
    check(testWindow([1, 3, 301, 3, 3, 1, 2, 1, 5, 1, 5, 1, 5]), 50, 4));
});
