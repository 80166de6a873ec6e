import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, SIZES, same, ulps } from "../float";
import { alloc, type Common, fillFloats, fillInts, loadCommon, place, random, reset } from "../harness";

const kernels = loadCommon();
beforeEach(reset);

const f = Math.fround;
const { POSITIVE_INFINITY: inf } = Number;

type Fold = (a: number, b: number) => number;

/** The order of operations that numerics.md states, for elements of which a vector has `lanes`. */
function ordered(values: readonly number[], inner: number, lanes: number, none: number, fold: Fold): number {
  if (inner > 1) {
    let all = none;
    let r = 0;
    for (; r + 8 <= values.length; r += 8) {
      const [a, b, c, d, e, f, g, h] = values.slice(r, r + 8) as [number, ...number[]] & number[];
      const [low, high] = [fold(fold(a, b!), fold(c!, d!)), fold(fold(e!, f!), fold(g!, h!))];
      all = fold(all, fold(low, high));
    }
    for (; r < values.length; r++) all = fold(all, values[r]!);
    return all;
  }
  const all = new Array<number>(lanes).fill(none);
  for (let at = 0; at < values.length; at += 1024) {
    const block = values.slice(at, at + 1024);
    const parts = Array.from({ length: 4 }, () => new Array<number>(lanes).fill(none));
    const vectors = Math.ceil(block.length / lanes);
    const whole = Math.floor(block.length / (4 * lanes)) * 4;
    for (let v = 0; v < vectors; v++)
      for (let lane = 0; lane < lanes; lane++) {
        const part = parts[v < whole ? v % 4 : 0]!;
        part[lane] = fold(part[lane]!, block[v * lanes + lane] ?? none);
      }
    for (let lane = 0; lane < lanes; lane++) {
      const [v0, v1, v2, v3] = parts.map((part) => part[lane]!) as [number, number, number, number];
      all[lane] = fold(all[lane]!, fold(fold(v0, v2), fold(v1, v3)));
    }
  }
  if (lanes > 4) return all.reduce((a, b) => fold(a, b));
  const [l0, l1, l2, l3] = all as [number, number, number, number];
  return fold(fold(l0, l2), fold(l1, l3));
}

const self = (x: number) => x;
const square = (x: number) => f(x * x);
const squareInt = (x: number) => Math.imul(x, x);
const add: Fold = (a, b) => f(a + b);
const addInt: Fold = (a, b) => (a + b) | 0;

const table: readonly [keyof Common, ArrayConstructor32, (x: number) => number, number, Fold][] = [
  ["reduceSum", Float32Array, self, 0, add],
  ["reduceAbsoluteSum", Float32Array, Math.abs, 0, add],
  ["reduceSquareSum", Float32Array, square, 0, add],
  ["reduceProduct", Float32Array, self, 1, (a, b) => f(a * b)],
  ["reduceLargest", Float32Array, self, -inf, Math.max],
  ["reduceLeast", Float32Array, self, inf, Math.min],
  ["reduceSumInt", Int32Array, self, 0, addInt],
  ["reduceAbsoluteSumInt", Int32Array, Math.abs, 0, addInt],
  ["reduceSquareSumInt", Int32Array, squareInt, 0, addInt],
  ["reduceProductInt", Int32Array, self, 1, Math.imul],
  ["reduceLargestInt", Int32Array, self, -(2 ** 31), Math.max],
  ["reduceLeastInt", Int32Array, self, 2 ** 31 - 1, Math.min],
  ["reduceLargestByte", Uint8Array, self, 0, Math.max],
  ["reduceLeastByte", Uint8Array, self, 255, Math.min],
];

type ArrayConstructor32 = typeof Float32Array | typeof Int32Array | typeof Uint8Array;

const SHAPES = [
  ...[...SIZES, 2500].flatMap((n) => [1, 3, 4, 17].map((inner) => [3, n, inner] as const)),
  [2, 9, 1100],
  [0, 3, 4],
  [2, 3, 0],
] as const;

describe.each(table)("%s", (name, view, map, none, fold) => {
  test.each(SHAPES)("%i × %i × %i: bit-equal in the stated order", (outer, n, inner) => {
    const next = random(n + inner);
    const x = alloc(view as typeof Float32Array, outer * n * inner);
    if (view === Float32Array)
      fillFloats(x, next, name === "reduceProduct" ? 0.9 : -4, name === "reduceProduct" ? 1.1 : 4);
    else fillInts(x, next, view === Uint8Array ? 0 : -(2 ** 31), view === Uint8Array ? 255 : 2 ** 31 - 1);
    const y = alloc(view as typeof Float32Array, outer * inner);
    const kernel = kernels[name] as Common["reduceSum"];
    inPieces(y, outer, next, (b, e) => kernel(y.byteOffset, x.byteOffset, n, inner, b, e));
    const expected = Array.from(y, (_, at) => {
      const [o, i] = [Math.floor(at / inner), at % inner];
      const values = Array.from({ length: n }, (_, r) => map(x[(o * n + r) * inner + i]!));
      return ordered(values, inner, view === Uint8Array ? 16 : 4, none, fold);
    });
    same(y, expected);
  });
});

test("NaN is the largest and the least", () => {
  for (const inner of [1, 3]) {
    const x = place(
      Float32Array,
      Array.from({ length: 20 * inner }, (_, i) => (i === 7 * inner ? Number.NaN : i)),
    );
    const y = alloc(Float32Array, inner);
    for (const kernel of [kernels.reduceLargest, kernels.reduceLeast]) {
      kernel(y.byteOffset, x.byteOffset, 20, inner, 0, 1);
      expect(y[0]).toBe(Number.NaN);
    }
  }
});

describe("reduceLogSumExp", () => {
  test.each(SHAPES)("%i × %i × %i: within 4 ulp of the largest", (outer, n, inner) => {
    const next = random(n + inner);
    const x = fillFloats(alloc(Float32Array, outer * n * inner), next, -9, 9);
    const y = alloc(Float32Array, outer * inner);
    inPieces(y, outer, next, (b, e) => kernels.reduceLogSumExp(y.byteOffset, x.byteOffset, n, inner, b, e));
    for (const [at, value] of y.entries()) {
      const [o, i] = [Math.floor(at / inner), at % inner];
      const column = Array.from({ length: n }, (_, r) => x[(o * n + r) * inner + i]!);
      const exact = Math.log(column.reduce((sum, v) => sum + Math.exp(v), 0));
      if (n === 0) expect(value).toBe(-inf);
      else expect(Math.abs(value - exact)).toBeLessThan(4e-6);
    }
  });

  test("∞ and NaN", () => {
    const rows = [
      [-inf, -inf, -inf, [-inf]],
      [1, inf, 2, [inf]],
      [1, Number.NaN, 2, [Number.NaN]],
      [-inf, 3, -inf, [3]],
    ] as const;
    for (const [a, b, c, [expected]] of rows) {
      const x = place(Float32Array, [a, b, c]);
      const y = alloc(Float32Array, 1);
      kernels.reduceLogSumExp(y.byteOffset, x.byteOffset, 3, 1, 0, 1);
      expect(y[0]).toBe(expected);
    }
  });
});

describe("sums of i32 in 64 bits", () => {
  const wide = (length: number) => {
    const { buffer, byteOffset } = alloc(Float64Array, length);
    return new BigInt64Array(buffer, byteOffset, length);
  };
  const sumOf = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n);

  test.each(SHAPES)("%i × %i × %i", (outer, n, inner) => {
    const next = random(n + inner);
    const x = fillInts(alloc(Int32Array, outer * n * inner), next, -(2 ** 31), 2 ** 31 - 1);
    const [sums, squares] = [wide(outer * inner), wide(outer * inner)];
    inPieces(sums, outer, next, (b, e) =>
      kernels.reduceSumWide(sums.byteOffset, x.byteOffset, n, inner, b, e),
    );
    inPieces(squares, outer, next, (b, e) =>
      kernels.reduceSquareSumWide(squares.byteOffset, x.byteOffset, n, inner, b, e),
    );
    const columns = Array.from(sums, (_, at) => {
      const [o, i] = [Math.floor(at / inner), at % inner];
      return Array.from({ length: n }, (_, r) => BigInt(x[(o * n + r) * inner + i]!));
    });
    expect([...sums]).toEqual(columns.map(sumOf));
    const most = (sum: bigint) => (sum < 2n ** 62n ? sum : 2n ** 62n);
    expect([...squares].map(most)).toEqual(columns.map((column) => most(sumOf(column.map((v) => v * v)))));
    const further = wide(outer);
    kernels.reduceSumsWide(further.byteOffset, sums.byteOffset, inner, 1, 0, outer);
    for (const [o, sum] of further.entries())
      expect(sum).toBe(sumOf([...sums.subarray(o * inner, (o + 1) * inner)]));
  });

  test("are divided, and their roots taken", () => {
    const sums = [0n, 7n, -7n, 13n, -13n, 2n ** 33n - 1n, -(2n ** 33n)];
    const x = wide(sums.length);
    x.set(sums);
    const y = alloc(Int32Array, sums.length);
    kernels.divideSumsWide(y.byteOffset, x.byteOffset, 7, 0, sums.length);
    expect([...y]).toEqual(sums.map((v) => Number(v / 7n)));
    const largest = 2147483647n ** 2n;
    const squares = [0n, 1n, 3n, 4n, largest, largest - 1n, largest + 1n];
    x.set(squares);
    kernels.rootOfSumsWide(y.byteOffset, x.byteOffset, 0, squares.length);
    expect([...y]).toEqual([0, 1, 1, 2, 2147483647, 2147483646, 2147483647]);
    x.set([2n ** 62n - 1n, 2n ** 62n]);
    kernels.rootOfSumsWide(y.byteOffset, x.byteOffset, 0, 1);
    expect(y[0]).toBe(2147483647);
    expect(() => kernels.rootOfSumsWide(y.byteOffset, x.byteOffset, 1, 2)).toThrow(WebAssembly.RuntimeError);
  });
});

describe("what is done to sums", () => {
  const run = (of: readonly number[], view: ArrayConstructor32, kernel: (y: number, n: number) => void) => {
    const y = place(view as typeof Float32Array, of);
    kernel(y.byteOffset, y.length);
    return [...y];
  };

  test.each(SIZES)("%i of them are divided", (n) => {
    const next = random(n);
    const values = Array.from({ length: n }, () => f(next() * 9 - 4));
    expect(run(values, Float32Array, (y, n) => kernels.divideSums(y, 7, 0, n))).toEqual(
      values.map((v) => f(v / 7)),
    );
    expect(run(values.map(Math.abs), Float32Array, (y, n) => kernels.rootOfSums(y, 0, n))).toEqual(
      values.map((v) => f(Math.sqrt(Math.abs(v)))),
    );
    for (const [i, v] of run(values.map(Math.abs), Float32Array, (y, n) =>
      kernels.logOfSums(y, 0, n),
    ).entries())
      expect(ulps(v, Math.log(Math.abs(values[i]!)))).toBeLessThan(8);
  });

  test("the logarithm has its ends", () => {
    const ends = run([0, -0, -1, inf, Number.NaN, 1], Float32Array, (y, n) => kernels.logOfSums(y, 0, n));
    same(ends, [-inf, -inf, Number.NaN, inf, Number.NaN, 0]);
  });
});
