import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, SIZES, same } from "../../kernels/float";
import {
  alloc,
  brokenGuard,
  fillFloats,
  fillInts,
  loadTrain,
  place,
  random,
  reset,
} from "../../kernels/harness";

const kernels = loadTrain();
beforeEach(reset);
const f = Math.fround;
const inf = Number.POSITIVE_INFINITY;

describe("extremes", () => {
  test.each(SIZES)("three rows of %i", (cols) => {
    const next = random(cols);
    const x = fillFloats(alloc(Float32Array, 3 * cols), next, -3, 5);
    const y = alloc(Float32Array, 6);
    inPieces(y, 3, next, (begin, end) => kernels.extremes(y.byteOffset, x.byteOffset, cols, begin, end));
    const expected = [0, 1, 2].flatMap((r) => {
      const row = x.subarray(r * cols, (r + 1) * cols);
      return [Math.min(...row), Math.max(...row)];
    });
    same(y, expected);
    expect(brokenGuard()).toBeUndefined();
  });

  test("the range of all rows is that of their pairs", () => {
    const x = fillFloats(alloc(Float32Array, 7 * 13), random(1), -3, 5);
    const [pairs, all] = [alloc(Float32Array, 14), alloc(Float32Array, 2)];
    kernels.extremes(pairs.byteOffset, x.byteOffset, 13, 0, 7);
    kernels.extremes(all.byteOffset, pairs.byteOffset, 14, 0, 1);
    same(all, [Math.min(...x), Math.max(...x)]);
  });

  test("one sign only, and NaN anywhere", () => {
    const x = place(Float32Array, [Number.NaN, 2, 3, Number.NaN, Number.NaN, -7, Number.NaN, -2, -5, -1]);
    const y = alloc(Float32Array, 4);
    kernels.extremes(y.byteOffset, x.byteOffset, 5, 0, 2);
    same(y, [2, 3, -7, -1]);
  });
});

describe("sumExtremes", () => {
  test.each([
    [0, 1, 4],
    [2, 1, 1],
    [3, 5, 3],
    [2, 4, 4],
    [2, 3, 10],
    [2, 7, 17],
  ])("%i samples of %i pixels × %i channels", (samples, pixels, channels) => {
    const next = random(samples + pixels + channels);
    const sums = fillInts(alloc(Int32Array, samples * pixels * channels), next, -5000, 4000);
    const s = fillFloats(alloc(Float32Array, channels), next, 0.0001, 0.002);
    const y = alloc(Float32Array, 2 * samples);
    for (const [lo, hi] of [
      [-inf, inf],
      [0, inf],
      [0, 6],
      [f(-0.1), f(0.2)],
    ] as const) {
      inPieces(y, samples, next, (begin, end) =>
        kernels.sumExtremes(
          y.byteOffset,
          sums.byteOffset,
          s.byteOffset,
          pixels,
          channels,
          lo,
          hi,
          begin,
          end,
        ),
      );
      const real = Array.from(sums, (sum, i) => Math.min(Math.max(f(sum * s[i % channels]!), lo), hi));
      const expected = Array.from({ length: samples }, (_, n) => {
        const of = real.slice(n * pixels * channels, (n + 1) * pixels * channels);
        return [Math.min(...of), Math.max(...of)];
      });
      same(y, expected.flat());
    }
  });
});
