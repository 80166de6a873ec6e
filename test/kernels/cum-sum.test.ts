import { beforeEach, expect, test } from "vitest";
import { inPieces, SIZES, same } from "./float";
import { alloc, fillFloats, fillInts, loadCommon, random, reset } from "./harness";

const { cumSum } = loadCommon();
beforeEach(reset);

const SHAPES = SIZES.flatMap((n) => [1, 3, 4, 17].map((inner) => [n, inner] as const));
const FLAGS = [0, 1].flatMap((exclusive) => [0, 1].map((reverse) => [exclusive, reverse] as const));

/** Sums over the middle dimension, added one by one. */
function expected(
  x: ArrayLike<number>,
  n: number,
  inner: number,
  [exclusive, reverse]: readonly number[],
  add: (a: number, b: number) => number,
) {
  const y = new Array<number>(x.length);
  for (let o = 0; o < x.length; o += n * inner)
    for (let i = 0; i < inner; i++) {
      let sum = 0;
      for (let step = 0; step < n; step++) {
        const at = o + (reverse ? n - 1 - step : step) * inner + i;
        const next = add(sum, x[at]!);
        y[at] = exclusive ? sum : next;
        sum = next;
      }
    }
  return y;
}

const OUTER = 3;

test.each(SHAPES)("n = %i, inner = %i: floats are those of sums in order", (n, inner) => {
  const next = random(n + inner);
  for (const flags of FLAGS) {
    const x = fillFloats(alloc(Float32Array, OUTER * n * inner), next, -9, 9);
    const y = alloc(Float32Array, x.length);
    inPieces(y, OUTER, next, (begin, end) =>
      cumSum(y.byteOffset, x.byteOffset, n, inner, ...flags, 0, begin, end),
    );
    same(
      y,
      expected(x, n, inner, flags, (a, b) => Math.fround(a + b)),
    );
  }
});

test.each(SHAPES)("n = %i, inner = %i: integers keep their low 32 bits", (n, inner) => {
  const next = random(n + inner);
  for (const flags of FLAGS) {
    const x = fillInts(alloc(Int32Array, OUTER * n * inner), next, -(2 ** 31), 2 ** 31 - 1);
    const y = alloc(Int32Array, x.length);
    inPieces(y, OUTER, next, (begin, end) =>
      cumSum(y.byteOffset, x.byteOffset, n, inner, ...flags, 1, begin, end),
    );
    same(
      y,
      expected(x, n, inner, flags, (a, b) => (a + b) | 0),
    );
  }
});

test("a sum is of the elements themselves where there is one", () => {
  const x = fillFloats(alloc(Float32Array, 5), random(1), -9, 9);
  const y = alloc(Float32Array, 5);
  cumSum(y.byteOffset, x.byteOffset, 1, 5, 0, 0, 0, 0, 1);
  expect([...y]).toEqual([...x]);
});
