import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, laneSum, SIZES, same } from "./float";
import { alloc, fillFloats, loadCommon, place, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const f = Math.fround;
const NONE = 0;

describe("layerNormalization", () => {
  test.each(
    SIZES.filter((n) => n > 0),
  )("rows of %i: f32 arithmetic in the stated order, to the bit", (cols) => {
    const rows = 5;
    const next = random(cols);
    const x = fillFloats(alloc(Float32Array, rows * cols), next, -3, 5);
    const scale = fillFloats(alloc(Float32Array, cols), next, 0.5, 2);
    const bias = fillFloats(alloc(Float32Array, cols), next, -1, 1);
    const epsilon = f(1e-5);
    const [mean, inverse] = [alloc(Float32Array, rows), alloc(Float32Array, rows)];
    const y = alloc(Float32Array, rows * cols);
    const at = [x, scale, bias].map((operand) => operand.byteOffset) as [number, number, number];
    const moments = [mean.byteOffset, inverse.byteOffset] as const;
    inPieces(y, rows, next, (b, e) =>
      kernels.layerNormalization(y.byteOffset, ...moments, ...at, cols, epsilon, b, e),
    );
    const expected = Array.from({ length: rows }, (_, r) => {
      const row = x.subarray(r * cols, (r + 1) * cols);
      const m = f(laneSum(row) / cols);
      const variance = f(laneSum(row.map((v) => f(f(v - m) * f(v - m)))) / cols);
      const s = f(1 / f(Math.sqrt(f(variance + epsilon))));
      return { m, s, y: Array.from(row, (v, c) => f(f(f(f(v - m) * s) * scale[c]!) + bias[c]!)) };
    });
    same(
      y,
      expected.flatMap((row) => row.y),
    );
    same(
      mean,
      expected.map((row) => row.m),
    );
    same(
      inverse,
      expected.map((row) => row.s),
    );
    inPieces(y, rows, next, (b, e) =>
      kernels.layerNormalization(y.byteOffset, NONE, NONE, at[0], at[1], NONE, cols, epsilon, b, e),
    );
    same(
      y.map((v, i) => f(v + bias[i % cols]!)),
      expected.flatMap((row) => row.y),
    );
    kernels.layerNormalization(x.byteOffset, NONE, NONE, ...at, cols, epsilon, 0, rows);
    same(
      x,
      expected.flatMap((row) => row.y),
    );
  });

  test("a row of equal numbers is all bias", () => {
    const x = place(Float32Array, [7, 7, 7]);
    const [scale, bias] = [place(Float32Array, [1, 2, 3]), place(Float32Array, [4, 5, 6])];
    const y = alloc(Float32Array, 3);
    const at = [x, scale, bias].map((operand) => operand.byteOffset) as [number, number, number];
    kernels.layerNormalization(y.byteOffset, NONE, NONE, ...at, 3, 1e-5, 0, 1);
    expect([...y]).toEqual([4, 5, 6]);
  });
});
