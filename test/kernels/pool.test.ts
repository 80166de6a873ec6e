import { beforeEach, describe, test } from "vitest";
import { inPieces, rne, same } from "./float";
import { alloc, fillFloats, fillInts, loadCommon, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const f = Math.fround;

// n, inH, inW, channels, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft, padBottom, padRight
const SHAPES = [
  [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0],
  [2, 5, 7, 3, 2, 2, 2, 2, 1, 1, 0, 0, 0, 0],
  [1, 6, 6, 17, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1],
  [3, 7, 5, 4, 3, 2, 1, 1, 2, 3, 2, 1, 2, 2],
  [2, 8, 8, 64, 8, 8, 1, 1, 1, 1, 0, 0, 0, 0],
  [1, 20, 30, 5, 20, 30, 1, 1, 1, 1, 0, 0, 0, 0],
  [1, 4, 9, 33, 1, 5, 1, 3, 1, 1, 0, 2, 0, 2],
] as const;

type Shape = (typeof SHAPES)[number];

/** Output sizes and, for each output element, the positions in x of the taps inside the image, ascending. */
function windows([
  n,
  inH,
  inW,
  channels,
  kh,
  kw,
  sH,
  sW,
  dH,
  dW,
  padTop,
  padLeft,
  padBottom,
  padRight,
]: Shape) {
  const outH = Math.floor((inH + padTop + padBottom - (kh - 1) * dH - 1) / sH) + 1;
  const outW = Math.floor((inW + padLeft + padRight - (kw - 1) * dW - 1) / sW) + 1;
  const taps = Array.from({ length: n * outH * outW * channels }, (_, i) => {
    const [p, c] = [Math.floor(i / channels), i % channels];
    const [image, oy, ox] = [Math.floor(p / (outH * outW)), Math.floor(p / outW) % outH, p % outW];
    const inside: number[] = [];
    for (let ky = 0; ky < kh; ky++)
      for (let kx = 0; kx < kw; kx++) {
        const [iy, ix] = [oy * sH - padTop + ky * dH, ox * sW - padLeft + kx * dW];
        if (iy < 0 || iy >= inH || ix < 0 || ix >= inW) continue;
        inside.push(((image * inH + iy) * inW + ix) * channels + c);
      }
    return inside;
  });
  const sizes = [inH, inW, channels, outH, outW, kh, kw, sH, sW, dH, dW, padTop, padLeft] as const;
  const cover = [inH + padBottom, inW + padRight] as const;
  return { rows: n * outH, taps, sizes, cover, area: kh * kw, length: n * inH * inW * channels };
}

describe.each(SHAPES.map((shape) => [shape.join(" "), shape] as const))("%s", (_, shape) => {
  const { rows, taps, sizes, cover, area, length } = windows(shape);
  const next = random(length);

  test("maxPool", () => {
    const x = fillFloats(alloc(Float32Array, length), next, -5, 5);
    const y = alloc(Float32Array, taps.length);
    inPieces(y, rows, next, (begin, end) =>
      kernels.maxPool(y.byteOffset, x.byteOffset, ...sizes, begin, end),
    );
    same(
      y,
      taps.map((inside) => Math.max(...inside.map((i) => x[i]!))),
    );
  });

  test("maxPoolU8", () => {
    const x = fillInts(alloc(Uint8Array, length), next, 0, 255);
    const y = alloc(Uint8Array, taps.length);
    inPieces(y, rows, next, (begin, end) =>
      kernels.maxPoolU8(y.byteOffset, x.byteOffset, ...sizes, begin, end),
    );
    same(
      y,
      taps.map((inside) => Math.max(...inside.map((i) => x[i]!))),
    );
  });

  test.each([0, 1])("averagePool, count_include_pad %i", (include) => {
    const x = fillFloats(alloc(Float32Array, length), next, -5, 5);
    const y = alloc(Float32Array, taps.length);
    inPieces(y, rows, next, (begin, end) =>
      kernels.averagePool(
        y.byteOffset,
        x.byteOffset,
        ...sizes,
        ...(include ? cover : ([0, 0] as const)),
        begin,
        end,
      ),
    );
    const expected = taps.map((inside) => {
      const sum = inside.reduce((s, i) => f(s + x[i]!), 0);
      return f(sum / (include ? area : inside.length));
    });
    same(y, expected);
  });

  test.each([0, 1])("averagePoolU8, count_include_pad %i", (include) => {
    const x = fillInts(alloc(Uint8Array, length), next, 0, 255);
    const y = alloc(Uint8Array, taps.length);
    for (const [xScale, xZero, yScale, yZero, lo, hi] of [
      [0.02, 128, 0.02, 128, 0, 255],
      [0.5, 0, 0.25, 10, 10, 200],
      [0.03, 255, 0.011, 77, 3, 250],
    ] as const) {
      const [xs, ys] = [f(xScale), f(yScale)];
      inPieces(y, rows, next, (begin, end) =>
        kernels.averagePoolU8(
          y.byteOffset,
          x.byteOffset,
          ...sizes,
          ...(include ? cover : ([0, 0] as const)),
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
      const expected = taps.map((inside) => {
        const sum = inside.reduce((s, i) => s + x[i]! - xZero, 0);
        const m = f(f(xs / (include ? area : inside.length)) / ys);
        return Math.min(Math.max(rne(f(f(sum) * m)) + yZero, lo), hi);
      });
      same(y, expected);
    }
  });
});
