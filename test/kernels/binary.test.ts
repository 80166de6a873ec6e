import { beforeEach, describe, test } from "vitest";
import { inPieces, same } from "./float";
import { alloc, fillFloats, loadCommon, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const OPS = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
  div: (a: number, b: number) => a / b,
};

// d0, d1, d2, strides of a, strides of b
type Strides = readonly [number, number, number];

const CASES: readonly (readonly [string, number, number, number, Strides, Strides])[] = [
  ["contiguous", 3, 5, 7, [35, 7, 1], [35, 7, 1]],
  ["one row of one", 1, 1, 1, [1, 1, 1], [1, 1, 1]],
  ["nothing", 0, 3, 4, [12, 4, 1], [12, 4, 1]],
  ["a scalar", 2, 3, 17, [51, 17, 1], [0, 0, 0]],
  ["a scalar first", 5, 1, 16, [0, 0, 0], [16, 16, 1]],
  ["a row", 4, 3, 17, [51, 17, 1], [0, 0, 1]],
  ["a column", 2, 9, 4, [36, 4, 1], [0, 1, 0]],
  ["batches", 3, 4, 5, [20, 5, 1], [5, 0, 1]],
  ["outer sum", 3, 4, 5, [4, 1, 0], [0, 0, 1]],
  ["elements", 333, 1, 1, [1, 0, 0], [1, 0, 0]],
];

describe.each(Object.keys(OPS) as (keyof typeof OPS)[])("%s", (op) => {
  test.each(CASES)("%s: bit-equal to scalar f32", (_, d0, d1, d2, sa, sb) => {
    const next = random(d0 + d1 + d2);
    const size = (s: Strides) => Math.max(0, (d0 - 1) * s[0] + (d1 - 1) * s[1] + (d2 - 1) * s[2] + 1);
    const a = fillFloats(alloc(Float32Array, size(sa)), next, -3, 3);
    const b = fillFloats(alloc(Float32Array, size(sb)), next, -3, 3);
    if (a.length > 8) a.set([0, -0, Number.NaN, Number.POSITIVE_INFINITY], 2);
    if (b.length > 8) b.set([-0, 0, 1, Number.NEGATIVE_INFINITY], 2);
    const y = alloc(Float32Array, d0 * d1 * d2);
    for (const [lo, hi] of [
      [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
      [0, 2],
    ] as const) {
      inPieces(y, d0, next, (begin, end) =>
        kernels[op](y.byteOffset, a.byteOffset, b.byteOffset, d1, d2, ...sa, ...sb, lo, hi, begin, end),
      );
      const expected = Array.from(y, (_, i) => {
        const index = [Math.floor(i / (d1 * d2)), Math.floor(i / d2) % d1, i % d2] as const;
        const of = (v: Float32Array, s: Strides) => v[index[0] * s[0] + index[1] * s[1] + index[2] * s[2]]!;
        return Math.min(Math.max(Math.fround(OPS[op](of(a, sa), of(b, sb))), lo), hi);
      });
      same(y, expected);
    }
  });
});
