import { beforeEach, describe, expect, test } from "vitest";
import { slide } from "../../../src/ops/window";
import {
  convInputGradientByImageScratchBytes,
  convInputGradientScratchBytes,
  packedInputGradientBytes,
} from "../../../src/train/step/packing";
import { inPieces, same } from "../../kernels/float";
import { alloc, brokenGuard, fillFloats, int, loadTrain, place, random, reset } from "../../kernels/harness";
import { maskOf } from "./bits";
import { eachTap, expectClose, inRanges, type TestWindow, testWindow, windows } from "./gradients";

const kernels = loadTrain();
beforeEach(reset);

/** Two groups, side by side in the channels of both images. */
function check(w: TestWindow, cin: number, cout: number): void {
  const next = random(w.inH * w.inW * cin + cout);
  const groups = 2;
  const [pixels, outPixels] = [w.batch * w.inH * w.inW, w.batch * w.outH * w.outW];
  const [lddx, lddy] = [groups * cin, groups * cout + int(next, 0, 3)];
  const taps = w.kh * w.kw;
  const dy = fillFloats(alloc(Float32Array, outPixels * lddy), next, -1, 1);
  const weights = fillFloats(alloc(Float32Array, groups * cout * cin * taps), next, -1, 1);
  const dx = alloc(Float32Array, pixels * lddx);
  const packed = alloc(Float32Array, packedInputGradientBytes(w, cin, cout) / 4);
  const scratch = alloc(Uint8Array, convInputGradientScratchBytes(w, w.batch, cout));
  const want = new Float64Array(dx.length);
  eachTap(w, (output, input, tap) => {
    for (let g = 0; g < groups; g++)
      for (let o = 0; o < cout; o++)
        for (let c = 0; c < cin; c++)
          want[input * lddx + g * cin + c]! +=
            dy[output * lddy + g * cout + o]! * weights[((g * cout + o) * cin + c) * taps + tap]!;
  });
  const ownerOf = (i: number) => Math.floor(i / (w.inW * lddx));
  const sizes = [w.inH, w.inW, cin, w.outH, w.outW, cout, ...slide(w)] as const;
  const run = (begin: number, end: number) => {
    for (let g = 0; g < groups; g++) {
      const from = weights.byteOffset + g * cout * cin * taps * 4;
      kernels.packInputGradientWeights(packed.byteOffset, from, cin, cout, ...slide(w));
      const [to, at] = [dx.byteOffset + g * cin * 4, dy.byteOffset + g * cout * 4];
      const operands = [to, lddx, at, lddy, packed.byteOffset, scratch.byteOffset] as const;
      kernels.convInputGradient(...operands, ...sizes, begin, end);
    }
  };
  inRanges(dx, w.batch * w.inH, ownerOf, next, run);
  expectClose(dx, want);
}

describe("convInputGradient: 1e-5 of float64", () => {
  for (const [cin, cout] of [
    [1, 1],
    [3, 8],
    [9, 17],
  ] as const)
    test.each(windows)(`%s, ${cin} → ${cout} channels`, (_, w) => check(w, cin, cout));

  test("more rows than a block holds, stride 2", () =>
    check(testWindow([1, 61, 50, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1]), 3, 40));

  test("packs every phase's taps in reverse, and channels to a multiple of eight with zeros", () => {
    const w = testWindow([1, 8, 1, 3, 1, 2, 1, 1, 1, 1, 0, 1, 0]);
    const [cin, cout] = [9, 2];
    const weights = fillFloats(alloc(Float32Array, cout * cin * 3), random(1), -1, 1);
    const packed = alloc(Float32Array, packedInputGradientBytes(w, cin, cout) / 4);
    kernels.packInputGradientWeights(packed.byteOffset, weights.byteOffset, cin, cout, ...slide(w));
    // Even rows of x meet tap 1, odd ones taps 0 and 2.
    const expected = [[1], [2, 0]].flatMap((taps) =>
      [0, 8].flatMap((panel) =>
        taps.flatMap((tap) =>
          [0, 1].flatMap((o) =>
            Array.from({ length: 8 }, (_, i) =>
              panel + i < cin ? weights[(o * cin + panel + i) * 3 + tap]! : 0,
            ),
          ),
        ),
      ),
    );
    expect([...packed]).toEqual(expected);
    expect(brokenGuard()).toBeUndefined();
  });
});

/** Against the same of dy that is masked already, to other memory. */
function checkByImage(w: TestWindow, cin: number, cout: number): void {
  const next = random(w.inH * w.inW * cin + cout);
  const [from, to] = [w.outH * w.outW * cout, w.inH * w.inW * cin];
  const dy = fillFloats(alloc(Float32Array, w.batch * from), next, -1, 1);
  const weights = fillFloats(alloc(Float32Array, cout * cin * w.kh * w.kw), next, -1, 1);
  const packed = alloc(Float32Array, packedInputGradientBytes(w, cin, cout) / 4);
  kernels.packInputGradientWeights(packed.byteOffset, weights.byteOffset, cin, cout, ...slide(w));
  const pass = Array.from(dy, () => next() < 0.6);
  const mask = place(
    Uint8Array,
    maskOf(w.batch, from, (i) => pass[i]!),
  );
  const sizes = [w.inH, w.inW, cin, w.outH, w.outW, cout, ...slide(w)] as const;
  const scratch = alloc(Uint8Array, convInputGradientScratchBytes(w, w.batch, cout));
  const gradientOf = (dy: Float32Array) => {
    const dx = alloc(Float32Array, w.batch * to);
    const operands = [
      dx.byteOffset,
      cin,
      dy.byteOffset,
      cout,
      packed.byteOffset,
      scratch.byteOffset,
    ] as const;
    kernels.convInputGradient(...operands, ...sizes, 0, w.batch * w.inH);
    return dx.slice();
  };
  const whole = gradientOf(dy);
  const masked = gradientOf(
    place(
      Float32Array,
      dy.map((v, i) => (pass[i] ? v : 0)),
    ),
  );
  const run = (dx: Float32Array, dy: Float32Array, bits: number, adds: boolean) => {
    const own = alloc(Uint8Array, convInputGradientByImageScratchBytes(w, cin, cout, adds));
    const operands = [dx.byteOffset, dy.byteOffset, bits, packed.byteOffset, own.byteOffset] as const;
    return (begin: number, end: number) =>
      kernels.convInputGradientByImage(...operands, adds ? 1 : 0, ...sizes, begin, end);
  };
  const dx = alloc(Float32Array, w.batch * to);
  for (const [bits, expected] of [
    [0, whole],
    [mask.byteOffset, masked],
  ] as const) {
    inPieces(dx, w.batch, next, run(dx, dy, bits, false));
    same(dx, expected);
    const known = fillFloats(alloc(Float32Array, dx.length), next, -1, 1);
    const sum = known.map((v, i) => v + expected[i]!);
    const cut = int(next, 0, w.batch);
    const add = run(known, dy, bits, true);
    add(cut, w.batch);
    add(0, cut);
    same(known, sum);
    if (from !== to) continue;
    const over = place(Float32Array, dy);
    run(over, over, bits, false)(0, w.batch);
    same(over, expected);
  }
  expect(brokenGuard()).toBeUndefined();
}

describe("convInputGradientByImage: the bits of convInputGradient, beside dy, over it, added; masked or not", () => {
  for (const [cin, cout] of [
    [1, 1],
    [3, 8],
    [9, 9],
  ] as const)
    test.each(windows)(`%s, ${cin} → ${cout} channels`, (_, w) => checkByImage(w, cin, cout));

  test("images of which one is a block, and of which some are", () => {
    checkByImage(testWindow([3, 40, 41, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1]), 16, 16);
    checkByImage(testWindow([9, 9, 10, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1]), 24, 40);
  });
});
