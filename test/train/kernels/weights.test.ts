// The codes that training sees are those that conversion makes: both are compared here, bit for bit.

import { beforeEach, describe, expect, test } from "vitest";
import { multipliers, sumScales } from "../../../src/ops/codes";
import type { Quantization } from "../../../src/ops/op";
import { quantizeBias, quantizeWeights, weightScales } from "../../../src/ops/scheme";
import { inPieces, SIZES, same } from "../../kernels/float";
import {
  alloc,
  brokenGuard,
  expectSame,
  fillFloats,
  fillInts,
  loadTrain,
  place,
  random,
  reset,
} from "../../kernels/harness";

const kernels = loadTrain();
beforeEach(reset);
const { fround } = Math;

const SHAPES = [
  [1, 1],
  [3, 17],
  [16, 9],
  [17, 36],
  [4, 0],
  [35, 64],
  [5, 1],
  [37, 3],
  [5, 4],
] as const;

/** Weights of very different sizes, half steps among them, and a channel of zeros and one too small for a scale. */
function adversarial(next: () => number, channels: number, inner: number, w: Float32Array): Float32Array {
  return w.map((_, i) => {
    const c = Math.floor(i / Math.max(inner, 1)) % channels;
    if (c === 1) return 0;
    if (c === 2) return 2 ** -130 * (next() - 0.5);
    if (c === 3) return Math.round(next() * 508 - 254) / 2;
    return (next() - 0.5) * 2 ** (c % 40);
  });
}

describe("weights", () => {
  test.each(SHAPES)("[%i][%i]: scales and codes are conversion's, changes are counted", (channels, inner) => {
    const next = random(31 * channels + 7 * inner);
    const count = channels * inner;
    const w = alloc(Float32Array, count);
    const bias = fillFloats(alloc(Float32Array, channels), next, -1, 1);
    const codes = alloc(Int8Array, count);
    const scale = alloc(Float32Array, channels);
    const changed = alloc(Int32Array, channels);
    for (const limit of [127, 7])
      for (const inputScale of [undefined, fround(0.02), fround(1e-9)])
        for (const withBias of inputScale ? [true, false] : [false])
          for (const kind of ["plain", "adversarial"]) {
            fillFloats(w, next, -0.3, 0.3);
            if (kind === "adversarial") w.set(adversarial(next, channels, inner, w));
            if (kind === "adversarial" && channels > 1) bias[1] = 0;
            const scales = weightScales(w, channels, {
              limit,
              ...(inputScale ? { inputScale } : {}),
              ...(withBias ? { bias } : {}),
            });
            const expected = quantizeWeights(w, scales, limit);
            const before = fillInts(new Int8Array(count), next, -limit, limit);
            expected.forEach((code, i) => {
              if (next() < 0.4) before[i] = code;
            });
            const differ = new Int32Array(channels).fill(3);
            expected.forEach((code, i) => {
              if (code !== before[i]) differ[Math.floor(i / inner) % channels]!++;
            });
            const pointer = withBias ? bias.byteOffset : 0;
            const run = (begin: number, end: number) =>
              kernels.quantizeWeights(
                codes.byteOffset,
                scale.byteOffset,
                changed.byteOffset,
                w.byteOffset,
                pointer,
                inner,
                limit,
                inputScale ?? 0,
                begin,
                end,
              );
            for (const cut of [0, Math.floor(next() * (channels + 1))]) {
              codes.set(before);
              changed.fill(3);
              scale.fill(-1);
              run(cut, channels);
              run(0, cut);
              expectSame(scale, scales);
              expectSame(codes, expected);
              expectSame(changed, differ);
            }
            run(0, channels);
            expectSame(changed, differ);
            codes.set(before);
            kernels.quantizeWeightsAt(
              codes.byteOffset,
              changed.byteOffset,
              w.byteOffset,
              scale.byteOffset,
              inner,
              limit,
              0,
              channels,
            );
            expectSame(codes, expected);
            inPieces(scale, channels, next, (begin, end) =>
              kernels.weightScales(
                scale.byteOffset,
                w.byteOffset,
                pointer,
                inner,
                limit,
                inputScale ?? 0,
                begin,
                end,
              ),
            );
            expectSame(scale, scales);
            expect(brokenGuard()).toBeUndefined();
          }
  });

  test("every half step and its neighbours, with given scales; weights beyond them clip", () => {
    for (const s of [0.5, fround(0.1), fround(0.0037)])
      for (const limit of [127, 7]) {
        reset();
        const steps = Array.from({ length: 1200 }, (_, i) => fround((i - 600) * 0.25 * s));
        const w = place(
          Float32Array,
          steps.flatMap((x) => [x * (1 - 2 ** -23), x, x * (1 + 2 ** -23)]),
        );
        const codes = place(Int8Array, new Int8Array(w.length));
        const changed = place(Int32Array, [0]);
        const scale = place(Float32Array, [s]);
        kernels.quantizeWeightsAt(
          codes.byteOffset,
          changed.byteOffset,
          w.byteOffset,
          scale.byteOffset,
          w.length,
          limit,
          0,
          1,
        );
        expectSame(codes, quantizeWeights(w, scale, limit));
        expect(changed[0]).toBe(codes.filter((code) => code !== 0).length);
        expect(Math.max(...codes)).toBe(limit);
        expect(Math.min(...codes)).toBe(-limit);
      }
  });

  test.each([1, 4])("NaN and infinities, inner %i, as conversion", (inner) => {
    const values = [Number.NaN, 1, -2, Number.POSITIVE_INFINITY, 5, Number.NEGATIVE_INFINITY, 0, -0];
    const w = place(Float32Array, values);
    const channels = 8 / inner;
    const codes = place(Int8Array, new Int8Array(8));
    const scale = alloc(Float32Array, channels);
    const changed = place(Int32Array, new Int32Array(channels));
    kernels.quantizeWeights(
      codes.byteOffset,
      scale.byteOffset,
      changed.byteOffset,
      w.byteOffset,
      0,
      inner,
      127,
      0,
      0,
      channels,
    );
    const scales = weightScales(w, channels);
    same(scale, scales);
    same(codes, quantizeWeights(w, scales));
  });
});

const quantization = (scale: ArrayLike<number>): Quantization => ({
  codes: "codes",
  dtype: "u8",
  scale: Float32Array.from(scale),
  zeroPoint: Int32Array.of(0),
  axis: 0,
});

describe("what follows from the scales", () => {
  test.each(SIZES)("%i biases, multipliers and scales of sums: bit-equal to the host's", (n) => {
    const next = random(n + 5);
    const w = alloc(Float32Array, n).map(() => 2 ** Math.floor(next() * 40 - 36) * (1 + next()));
    const scale = place(Float32Array, w);
    const b = fillFloats(alloc(Float32Array, n), next, -3, 3);
    b.forEach((_, c) => {
      if (next() < 0.2) b[c] = next() < 0.5 ? 0 : (Math.round(next() * 200) + 0.5) * fround(0.5 * scale[c]!);
    });
    const wide = alloc(Int32Array, n);
    const [m, s] = [alloc(Float32Array, n), alloc(Float32Array, n)];
    for (const xScale of [0.5, fround(0.0173), fround(3e-8)]) {
      inPieces(wide, n, next, (begin, end) =>
        kernels.quantizeBias(wide.byteOffset, b.byteOffset, scale.byteOffset, xScale, begin, end),
      );
      expectSame(wide, quantizeBias(b, sumScales(xScale, scale)));
      inPieces(s, n, next, (begin, end) =>
        kernels.sumScales(s.byteOffset, scale.byteOffset, xScale, begin, end),
      );
      expectSame(s, sumScales(xScale, scale, n));
      const yScale = fround(0.0311);
      inPieces(m, n, next, (begin, end) =>
        kernels.multipliers(m.byteOffset, scale.byteOffset, xScale, yScale, begin, end),
      );
      const [x, y] = [quantization([xScale]), quantization([yScale])];
      expectSame(m, multipliers(x, quantization(scale), y, n));
    }
  });

  test("a bias that no code can hold saturates below 2^30; NaN is 0", () => {
    const b = place(Float32Array, [1, -1, 2 ** 30, -(2 ** 31), 1e30, 2 ** 30 - 64, Number.NaN, Infinity]);
    const scale = place(Float32Array, new Float32Array(8).fill(1));
    const codes = alloc(Int32Array, 8);
    kernels.quantizeBias(codes.byteOffset, b.byteOffset, scale.byteOffset, 1, 0, 8);
    const most = 2 ** 30 - 1;
    same(codes, [1, -1, most, -most, most, 2 ** 30 - 64, 0, most]);
    expectSame(codes, quantizeBias(b, scale));
  });
});
