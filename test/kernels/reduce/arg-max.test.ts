import { afterEach, beforeEach, expect, test } from "vitest";
import { SIZES } from "../float";
import { alloc, brokenGuard, expectSame, int, loadCommon, place, random, reset } from "../harness";

const kernels = loadCommon();
beforeEach(reset);
afterEach(() => expect(brokenGuard()).toBeUndefined());

/** Where the largest is, NaN being the largest of all. */
function oracle(column: readonly number[], last: boolean): number {
  const nan = column.map(Number.isNaN);
  if (nan.includes(true)) return last ? nan.lastIndexOf(true) : nan.indexOf(true);
  const largest = Math.max(...column);
  return last ? column.lastIndexOf(largest) : column.indexOf(largest);
}

test.each(SIZES.filter((n) => n > 0))("over %i, ties and NaN among them", (n) => {
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
    const x = place(Float32Array, Array.from({ length: outer * n * inner }, value));
    const y = alloc(Int32Array, outer * inner);
    const want = y.map((_, at) => {
      const first = Math.floor(at / inner) * n * inner + (at % inner);
      return oracle(
        Array.from({ length: n }, (_, r) => x[first + r * inner]!),
        last === 1,
      );
    });
    const cut = int(next, 0, outer);
    kernels.argMax(y.byteOffset, x.byteOffset, n, inner, last, cut, outer);
    kernels.argMax(y.byteOffset, x.byteOffset, n, inner, last, 0, cut);
    expectSame(y, want, `${[outer, n, inner, last]}`);
  }
});
