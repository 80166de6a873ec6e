import { afterEach, beforeEach, expect, test } from "vitest";
import { SIZES } from "../float";
import { alloc, brokenGuard, expectSame, int, loadCommon, place, random, reset } from "../harness";

const kernels = loadCommon();
beforeEach(reset);
afterEach(() => expect(brokenGuard()).toBeUndefined());

/** Where the largest or least is, NaN being both. */
function oracle(column: readonly number[], last: boolean, best: (...values: number[]) => number): number {
  const nan = column.map(Number.isNaN);
  if (nan.includes(true)) return last ? nan.lastIndexOf(true) : nan.indexOf(true);
  const largest = best(...column);
  return last ? column.lastIndexOf(largest) : column.indexOf(largest);
}

const kernelsOf = SIZES.filter((n) => n > 0).flatMap((n) => [
  ["argMax", n, Math.max] as const,
  ["argMin", n, Math.min] as const,
  ["argMaxInt", n, Math.max] as const,
  ["argMinInt", n, Math.min] as const,
  ["argMaxByte", n, Math.max] as const,
  ["argMinByte", n, Math.min] as const,
]);

test.each(kernelsOf)("%s over %i, ties and NaN among them", (kernel, n, best) => {
  for (const [outer, inner, last] of [
    [5, 1, 0],
    [3, 4, 1],
    [1, 17, 0],
    [2, 3, 1],
    [0, 3, 0],
  ] as const) {
    reset();
    const next = random(n + inner);
    const value = () => (next() < 0.05 ? Number.NaN : next() < 0.05 ? -Infinity : int(next, -3, 3));
    const view = kernel.endsWith("Int") ? Int32Array : kernel.endsWith("Byte") ? Uint8Array : Float32Array;
    const x = place(view as typeof Float32Array, Array.from({ length: outer * n * inner }, value));
    const y = alloc(Int32Array, outer * inner);
    const want = y.map((_, at) => {
      const first = Math.floor(at / inner) * n * inner + (at % inner);
      const column = Array.from({ length: n }, (_, r) => x[first + r * inner]!);
      return oracle(column, last === 1, best);
    });
    const cut = int(next, 0, outer);
    kernels[kernel](y.byteOffset, x.byteOffset, n, inner, last, cut, outer);
    kernels[kernel](y.byteOffset, x.byteOffset, n, inner, last, 0, cut);
    expectSame(y, want, `${[outer, n, inner, last]}`);
  }
});
