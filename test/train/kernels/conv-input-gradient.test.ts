import { beforeEach, describe, expect, test } from "vitest";
import { convTransposeScratchBytes, packedConvTransposeBytes } from "../../../assembly/f32/sizes";
import { convInputGradientScratchBytes } from "../../../assembly/train/sizes";
import { inPieces, same } from "../../kernels/float";
import { alloc, brokenGuard, fillFloats, int, loadTrain, place, random, reset } from "../../kernels/harness";
import { window } from "../../kernels/structs";
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
  const { slide, at: windowAt } = window(w, { cin, ldx: lddx, cout, ldy: lddy });
  const packed = alloc(Float32Array, packedConvTransposeBytes(slide) / 4);
  const scratch = alloc(Uint8Array, convTransposeScratchBytes(slide, w.batch));
  const want = new Float64Array(dx.length);
  eachTap(w, (output, input, tap) => {
    for (let g = 0; g < groups; g++)
      for (let o = 0; o < cout; o++)
        for (let c = 0; c < cin; c++)
          want[input * lddx + g * cin + c]! +=
            dy[output * lddy + g * cout + o]! * weights[((g * cout + o) * cin + c) * taps + tap]!;
  });
  const ownerOf = (i: number) => Math.floor(i / (w.inW * lddx));
  const run = (begin: number, end: number) => {
    for (let g = 0; g < groups; g++) {
      const from = weights.byteOffset + g * cout * cin * taps * 4;
      kernels.packConvTranspose(packed.byteOffset, from, windowAt);
      const [to, at] = [dx.byteOffset + g * cin * 4, dy.byteOffset + g * cout * 4];
      const operands = [to, at, packed.byteOffset, 0, scratch.byteOffset, windowAt] as const;
      kernels.convTranspose(...operands, -Infinity, Infinity, begin, end);
    }
  };
  inRanges(dx, w.batch * w.inH, ownerOf, next, run);
  expectClose(dx, want);
}

describe("convTranspose: 1e-5 of float64", () => {
  for (const [cin, cout] of [
    [1, 1],
    [3, 8],
    [9, 17],
  ] as const)
    test.each(windows)(`%s, ${cin} → ${cout} channels`, (_, w) => check(w, cin, cout));

  test("more rows than a block holds, stride 2", () =>
    check(testWindow([1, 61, 50, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1]), 3, 40));

  test("with a bias and bounds: those of a ConvTranspose", () => {
    const w = testWindow([2, 7, 8, 3, 2, 2, 3, 1, 1, 1, 0, 1, 0]);
    const [cin, cout] = [5, 3];
    const next = random(5);
    const { slide, at } = window(w, { cin, ldx: cin, cout, ldy: cout });
    const y = fillFloats(alloc(Float32Array, w.batch * w.outH * w.outW * cout), next, -1, 1);
    const weights = fillFloats(alloc(Float32Array, cout * cin * w.kh * w.kw), next, -1, 1);
    const bias = fillFloats(alloc(Float32Array, cin), next, -1, 1);
    const packed = alloc(Uint8Array, packedConvTransposeBytes(slide));
    kernels.packConvTranspose(packed.byteOffset, weights.byteOffset, at);
    const scratch = alloc(Uint8Array, convTransposeScratchBytes(slide, w.batch));
    const [bare, x] = [0, 1].map(() => alloc(Float32Array, w.batch * w.inH * w.inW * cin)) as [
      Float32Array,
      Float32Array,
    ];
    const operands = [y.byteOffset, packed.byteOffset] as const;
    const rows = w.batch * w.inH;
    kernels.convTranspose(
      bare.byteOffset,
      ...operands,
      0,
      scratch.byteOffset,
      at,
      -Infinity,
      Infinity,
      0,
      rows,
    );
    kernels.convTranspose(
      x.byteOffset,
      ...operands,
      bias.byteOffset,
      scratch.byteOffset,
      at,
      -0.5,
      1,
      0,
      rows,
    );
    same(
      x,
      Array.from(bare, (v, i) => Math.min(Math.max(Math.fround(v + bias[i % cin]!), -0.5), 1)),
    );
    expect(brokenGuard()).toBeUndefined();
  });

  test("packs every phase's taps in reverse, and channels to a multiple of eight with zeros", () => {
    const w = testWindow([1, 8, 1, 3, 1, 2, 1, 1, 1, 1, 0, 1, 0]);
    const [cin, cout] = [9, 2];
    const weights = fillFloats(alloc(Float32Array, cout * cin * 3), random(1), -1, 1);
    const { slide, at } = window(w, { cin, ldx: cin, cout, ldy: cout });
    const packed = alloc(Float32Array, packedConvTransposeBytes(slide) / 4);
    kernels.packConvTranspose(packed.byteOffset, weights.byteOffset, at);
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
  const { slide, at } = window(w, { cin, ldx: cin, cout, ldy: cout });
  const packed = alloc(Float32Array, packedConvTransposeBytes(slide) / 4);
  kernels.packConvTranspose(packed.byteOffset, weights.byteOffset, at);
  const pass = Array.from(dy, () => next() < 0.6);
  const mask = place(
    Uint8Array,
    maskOf(w.batch, from, (i) => pass[i]!),
  );
  const scratch = alloc(Uint8Array, convTransposeScratchBytes(slide, w.batch));
  const gradientOf = (dy: Float32Array) => {
    const dx = alloc(Float32Array, w.batch * to);
    const operands = [dx.byteOffset, dy.byteOffset, packed.byteOffset, 0, scratch.byteOffset, at] as const;
    kernels.convTranspose(...operands, -Infinity, Infinity, 0, w.batch * w.inH);
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
    const own = alloc(Uint8Array, convInputGradientScratchBytes(slide, adds));
    const operands = [dx.byteOffset, dy.byteOffset, bits, packed.byteOffset, own.byteOffset] as const;
    return (begin: number, end: number) =>
      kernels.convInputGradient(...operands, at, adds ? 1 : 0, begin, end);
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

describe("convInputGradient: the bits of convTranspose, beside dy, over it, added; masked or not", () => {
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
