// Masks against numerics.md, element by element, and against the codes that the deployed kernels write.

import { beforeEach, describe, expect, test } from "vitest";
import { slideOf } from "../../../src/ops/window";
import { inPieces, SIZES } from "../../kernels/float";
import {
  alloc,
  expectSame,
  fillFloats,
  fillInts,
  loadCommon,
  loadTrain,
  place,
  random,
  reset,
} from "../../kernels/harness";
import { rne, tapPixel, type Window } from "../../kernels/oracle-int8";
import { windowAt } from "../../kernels/structs";
import { maskOf } from "./bits";

const common = loadCommon();
const kernels = loadTrain();
beforeEach(reset);
const f = Math.fround;
const inf = Number.POSITIVE_INFINITY;

const isCode = (v: number, zero: number) => {
  const q = Math.abs(v) < 2 ** 30 ? rne(v) + zero : v;
  return q >= 0 && q <= 255;
};

describe("quantizeMask", () => {
  test.each(SIZES)("two samples of %i", (count) => {
    const next = random(count);
    const samples = 2;
    const x = fillFloats(alloc(Float32Array, samples * count), next, -4, 4);
    const mask = alloc(Uint8Array, samples * Math.ceil(count / 8));
    for (const [scale, zero] of [
      [f(0.02), 117],
      [f(0.013), 0],
      [0.015625, 255],
    ] as const) {
      for (let i = 0; i < x.length; i += 3) x[i] = scale * (Math.round(next() * 700) / 2 - zero - 50);
      inPieces(mask, samples, next, (begin, end) =>
        kernels.quantizeMask(mask.byteOffset, x.byteOffset, scale, zero, count, begin, end),
      );
      const expected = maskOf(samples, count, (i) => isCode(f(x[i]! / scale), zero));
      expectSame(mask, expected);
    }
  });

  test("half steps outside that round to a code pass; NaN and infinities do not", () => {
    const x = place(Float32Array, [-0.5, -0.50001, 255.5, 255.49, 254.5, Number.NaN, inf, -inf, 1e30, -1e30]);
    const mask = alloc(Uint8Array, 2);
    kernels.quantizeMask(mask.byteOffset, x.byteOffset, 1, 0, 10, 0, 1);
    expect([...mask]).toEqual([0b00011001, 0]);
  });

  test("a code inside the range passes, clamped ones have the ends of it", () => {
    const next = random(9);
    const x = fillFloats(alloc(Float32Array, 1000), next, -4, 4);
    const mask = alloc(Uint8Array, 125);
    const codes = alloc(Uint8Array, 1000);
    kernels.quantizeMask(mask.byteOffset, x.byteOffset, f(0.02), 100, 1000, 0, 1);
    common.quantize(codes.byteOffset, x.byteOffset, f(0.02), 100, 0, 255, 0, 1000);
    codes.forEach((q, i) => {
      const passes = (mask[i >> 3]! >> (i & 7)) & 1;
      if (q !== 0 && q !== 255) expect(passes).toBe(1);
      if (!passes) expect([0, 255]).toContain(q);
    });
  });
});

describe("addMask", () => {
  test.each(SIZES)("three samples of %i", (count) => {
    const next = random(count + 3);
    const samples = 3;
    const a = fillInts(alloc(Uint8Array, samples * count), next, 0, 255);
    const b = fillInts(alloc(Uint8Array, samples * count), next, 0, 255);
    const mask = alloc(Uint8Array, samples * Math.ceil(count / 8));
    for (const [aScale, aZero, bScale, bZero, yScale, yZero, lo, hi] of [
      [0.5, 128, 0.5, 128, 0.5, 128, -inf, inf],
      [0.02, 100, 0.03, 7, 0.017, 0, 0, inf],
      [0.02, 100, 0.03, 7, 0.017, 0, 0, 3],
      [0.1, 0, 0.001, 255, 0.03, 60, -inf, 2.5],
    ] as const) {
      const [as, bs, ys] = [f(aScale), f(bScale), f(yScale)];
      inPieces(mask, samples, next, (begin, end) =>
        kernels.addMask(
          mask.byteOffset,
          a.byteOffset,
          b.byteOffset,
          as,
          aZero,
          bs,
          bZero,
          ys,
          yZero,
          lo,
          hi,
          count,
          begin,
          end,
        ),
      );
      const expected = maskOf(samples, count, (i) => {
        const x = f(f((a[i]! - aZero) * as) + f((b[i]! - bZero) * bs));
        return lo < x && x < hi && isCode(f(x / ys), yZero);
      });
      expectSame(mask, expected);
    }
  });
});

interface Pooling extends Window {
  readonly n: number;
  readonly channels: number;
  readonly padBottom: number;
  readonly padRight: number;
}

function pooling(
  [n, inH, inW, channels]: readonly [number, number, number, number],
  [kh, kw, strideH, strideW, dilationH, dilationW]: readonly [number, number, number, number, number, number],
  [padTop, padLeft, padBottom, padRight]: readonly [number, number, number, number],
): Pooling {
  const outH = Math.floor((inH + padTop + padBottom - (kh - 1) * dilationH - 1) / strideH) + 1;
  const outW = Math.floor((inW + padLeft + padRight - (kw - 1) * dilationW - 1) / strideW) + 1;
  const window = { inH, inW, outH, outW, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft };
  return { ...window, n, channels, padBottom, padRight };
}

describe("averagePoolMask", () => {
  test.each<[string, Pooling]>([
    ["one pixel", pooling([1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0])],
    ["2 × 2", pooling([2, 5, 7, 3], [2, 2, 2, 2, 1, 1], [0, 0, 0, 0])],
    ["3 × 3, padded", pooling([3, 6, 6, 17], [3, 3, 2, 2, 1, 1], [1, 1, 1, 1])],
    ["dilated", pooling([2, 7, 5, 4], [3, 2, 1, 1, 2, 3], [2, 1, 2, 2])],
    ["global", pooling([3, 8, 8, 10], [8, 8, 1, 1, 1, 1], [0, 0, 0, 0])],
    ["no image", pooling([0, 4, 4, 4], [2, 2, 2, 2, 1, 1], [0, 0, 0, 0])],
  ])("%s", (_, g) => {
    const { n, inH, inW, channels, outH, outW } = g;
    const next = random(inH * inW * channels);
    const x = fillInts(alloc(Uint8Array, n * inH * inW * channels), next, 0, 255);
    const count = outH * outW * channels;
    const mask = alloc(Uint8Array, n * Math.ceil(count / 8));
    for (const coverPadding of [false, true])
      for (const [xScale, xZero, yScale, yZero, lo, hi] of [
        [0.02, 128, 0.02, 128, -inf, inf],
        [0.5, 100, 0.1, 10, -inf, inf],
        [0.03, 120, 0.02, 0, 0, inf],
        [0.03, 100, 0.011, 77, -0.2, 0.3],
      ] as const) {
        const [xs, ys] = [f(xScale), f(yScale)];
        const cover = coverPadding ? { coverH: inH + g.padBottom, coverW: inW + g.padRight } : {};
        const at = windowAt(slideOf(g, channels), cover);
        inPieces(mask, n, next, (begin, end) =>
          kernels.averagePoolMask(
            mask.byteOffset,
            x.byteOffset,
            at,
            xs,
            xZero,
            ys,
            yZero,
            lo,
            hi,
            begin,
            end,
          ),
        );
        const expected = maskOf(n, count, (i) => {
          const [pixel, c] = [Math.floor(i / channels), i % channels];
          const taps = Array.from({ length: g.kh * g.kw }, (_, tap) => tapPixel(g, pixel, tap)).filter(
            (p) => p >= 0,
          );
          const sum = taps.reduce((s, p) => s + x[p * channels + c]! - xZero, 0);
          const scale = f(xs / (coverPadding ? g.kh * g.kw : taps.length));
          const real = f(f(sum) * scale);
          return lo < real && real < hi && isCode(f(f(sum) * f(scale / ys)), yZero);
        });
        expectSame(mask, expected);
      }
  });
});
