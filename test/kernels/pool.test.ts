import { beforeEach, describe, test } from "vitest";
import { inPieces, rne, same } from "./float";
import { alloc, fillFloats, fillInts, int, loadCommon, place, random, reset } from "./harness";
import { POOL_SHAPES, windowsOf } from "./pool-windows";
import { rescale, windowAt } from "./structs";

const kernels = loadCommon();
beforeEach(reset);

const f = Math.fround;

describe.each(POOL_SHAPES.map((shape) => [shape.join(" "), shape] as const))("%s", (_, shape) => {
  const { rows, taps, slide, cover, area, length } = windowsOf(shape);
  const next = random(length);

  test("maxPool", () => {
    const x = fillFloats(alloc(Float32Array, length), next, -5, 5);
    const y = alloc(Float32Array, taps.length);
    const at = windowAt(slide);
    inPieces(y, rows, next, (begin, end) => kernels.maxPool(y.byteOffset, x.byteOffset, at, begin, end));
    same(
      y,
      taps.map((inside) => Math.max(...inside.map((i) => x[i]!))),
    );
  });

  test("maxPool of NaN and infinities", () => {
    const rare = [Number.NaN, Infinity, -Infinity];
    const values = Array.from({ length }, () => (next() < 0.1 ? rare[int(next, 0, 2)]! : f(next() - 0.5)));
    const x = place(Float32Array, values);
    const y = alloc(Float32Array, taps.length);
    const at = windowAt(slide);
    inPieces(y, rows, next, (begin, end) => kernels.maxPool(y.byteOffset, x.byteOffset, at, begin, end));
    same(
      y,
      taps.map((inside) => {
        let largest = -Infinity;
        for (const i of inside) if (Number.isNaN(x[i]) || x[i]! > largest) largest = x[i]!;
        return inside.some((i) => Number.isNaN(x[i])) ? Number.NaN : largest;
      }),
    );
  });

  test("maxPoolU8", () => {
    const x = fillInts(alloc(Uint8Array, length), next, 0, 255);
    const y = alloc(Uint8Array, taps.length);
    const at = windowAt(slide);
    inPieces(y, rows, next, (begin, end) => kernels.maxPoolU8(y.byteOffset, x.byteOffset, at, begin, end));
    same(
      y,
      taps.map((inside) => Math.max(...inside.map((i) => x[i]!))),
    );
  });

  test.each([0, 1])("averagePool, count_include_pad %i", (include) => {
    const x = fillFloats(alloc(Float32Array, length), next, -5, 5);
    const y = alloc(Float32Array, taps.length);
    const at = windowAt(slide, include ? cover : {});
    inPieces(y, rows, next, (begin, end) => kernels.averagePool(y.byteOffset, x.byteOffset, at, begin, end));
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
      const numbers = rescale({ xScale: xs, xZero, yScale: ys, yZero, lo, hi });
      const at = windowAt(slide, include ? cover : {});
      inPieces(y, rows, next, (begin, end) =>
        kernels.averagePoolU8(y.byteOffset, x.byteOffset, at, numbers, begin, end),
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
