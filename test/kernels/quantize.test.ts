import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, quantizeOne, rne, SIZES, same } from "./float";
import { alloc, brokenGuard, fillFloats, fillInts, int, loadCommon, place, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe("quantize", () => {
  test.each(SIZES)("%i elements, u8 and i8: bit-equal to scalar f32", (n) => {
    const next = random(n + 1);
    const x = fillFloats(alloc(Float32Array, n), next, -3, 3);
    const y = alloc(Uint8Array, n);
    for (const [scale, zero, lo, hi] of [
      [0.02, 128, 0, 255],
      [0.013, 7, 7, 200],
      [0.03, 0, -128, 127],
      [0.001, -5, -127, 127],
    ] as const) {
      const s = Math.fround(scale);
      inPieces(y, n, next, (begin, end) =>
        kernels.quantize(y.byteOffset, x.byteOffset, s, zero, lo, hi, begin, end),
      );
      same(
        y,
        Array.from(x, (v) => quantizeOne(v, s, zero, lo, hi) & 255),
      );
    }
  });

  test("half steps go to even, infinities saturate, NaN is 0 before the zero point", () => {
    const x = place(Float32Array, [
      0.25,
      0.75,
      1.25,
      -0.25,
      -0.75,
      -1.25,
      inf,
      -inf,
      nan,
      1e30,
      -1e30,
      3e9,
      -0,
    ]);
    const y = alloc(Uint8Array, x.length);
    kernels.quantize(y.byteOffset, x.byteOffset, 0.5, 10, 0, 255, 0, x.length);
    same(y, [10, 12, 12, 10, 8, 8, 255, 0, 10, 255, 0, 255, 10]);
    // Bounds that leave the zero point out hold for NaN too.
    kernels.quantize(y.byteOffset, x.byteOffset, 0.5, 10, 11, 20, 0, x.length);
    expect(y[8]).toBe(11);
  });

  test("every half step of a fine grid, and its neighbours, divided and not multiplied", () => {
    const scale = Math.fround(0.1);
    const next = random(3);
    const x = alloc(Float32Array, 4096).map(() => 0);
    const grid = place(
      Float32Array,
      x.map((_, i) => Math.fround((i - 2048) * 0.05) * (1 + int(next, -1, 1) * 2 ** -24)),
    );
    const y = alloc(Uint8Array, grid.length);
    kernels.quantize(y.byteOffset, grid.byteOffset, scale, 128, 0, 255, 0, grid.length);
    same(
      y,
      Array.from(grid, (v) => quantizeOne(v, scale, 128, 0, 255)),
    );
  });
});

describe("quantizeChannelsLast", () => {
  test.each([
    [1, 1, 1],
    [2, 3, 16],
    [3, 3, 49],
    [1, 17, 5],
    [2, 4, 33],
    [2, 2, 3],
    [1, 3, 70],
    [2, 5, 130],
    [1, 64, 9],
  ])("%i images, %i channels, %i pixels", (n, channels, spatial) => {
    const next = random(n * channels * spatial);
    const x = fillFloats(alloc(Float32Array, n * channels * spatial), next, -1, 1);
    const y = alloc(Uint8Array, x.length);
    const s = Math.fround(0.01);
    inPieces(y, n, next, (begin, end) =>
      kernels.quantizeChannelsLast(y.byteOffset, x.byteOffset, channels, spatial, s, 100, 0, 255, begin, end),
    );
    const expected = Array.from(y, (_, i) => {
      const [image, p, c] = [
        Math.floor(i / (channels * spatial)),
        Math.floor(i / channels) % spatial,
        i % channels,
      ];
      return quantizeOne(x[(image * channels + c) * spatial + p]!, s, 100, 0, 255);
    });
    same(y, expected);
  });
});

test.each(SIZES)("dequantize %i codes", (n) => {
  const next = random(n);
  const x = fillInts(alloc(Uint8Array, n), next, 0, 255);
  const y = alloc(Float32Array, n);
  const s = Math.fround(0.037);
  inPieces(y, n, next, (begin, end) => kernels.dequantize(y.byteOffset, x.byteOffset, s, 131, begin, end));
  same(
    y,
    Array.from(x, (q) => Math.fround((q - 131) * s)),
  );
});

describe("dynamicQuantize", () => {
  const check = (x: Float32Array, rows: number, cols: number) => {
    const y = alloc(Uint8Array, rows * cols);
    const scale = alloc(Float32Array, rows);
    const zero = alloc(Int32Array, rows);
    inPieces(y, rows, random(cols), (begin, end) =>
      kernels.dynamicQuantize(
        y.byteOffset,
        scale.byteOffset,
        zero.byteOffset,
        x.byteOffset,
        cols,
        begin,
        end,
      ),
    );
    for (let r = 0; r < rows; r++) {
      const row = x.subarray(r * cols, (r + 1) * cols);
      const lo = Math.min(0, ...Array.from(row).filter((v) => v < 0));
      const hi = Math.max(0, ...Array.from(row).filter((v) => v > 0));
      const s = Math.fround(Math.fround(hi - lo) / 255) || 1;
      const z = rne(Math.min(Math.max(0 - Math.fround(lo / s), 0), 255));
      expect(scale[r]).toBe(s);
      expect(zero[r]).toBe(z);
      same(
        y.subarray(r * cols, (r + 1) * cols),
        Array.from(row, (v) => quantizeOne(v, s, z, 0, 255)),
      );
    }
    expect(brokenGuard()).toBeUndefined();
  };

  test.each([
    [0, 4],
    [3, 1],
    [4, 3],
    [5, 17],
    [2, 64],
    [1, 333],
  ])("%i rows of %i: codes, scales and zero points of each row", (rows, cols) => {
    const next = random(rows + cols);
    check(fillFloats(alloc(Float32Array, rows * cols), next, -3, 5), rows, cols);
    check(fillFloats(alloc(Float32Array, rows * cols), next, 1, 5), rows, cols);
    check(fillFloats(alloc(Float32Array, rows * cols), next, -5, -1), rows, cols);
  });

  test("zeros give scale 1; NaN counts for no bound", () => {
    check(place(Float32Array, [0, 0, -0, 0, 0]), 1, 5);
    check(place(Float32Array, [nan, 1, -2, 0.5, nan]), 1, 5);
    check(place(Float32Array, [1e-45, 0, 0]), 1, 3);
  });
});
