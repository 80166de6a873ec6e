import { beforeEach, expect, test } from "vitest";
import { inPieces, SIZES, same, ulps } from "./float";
import { alloc, fillFloats, loadCommon, place, random, reset } from "./harness";

const { softplus } = loadCommon();
beforeEach(reset);

const exact = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

test("within 3 ulp on [−87, 88]", () => {
  const next = random(1);
  const n = 400_000;
  const x = fillFloats(alloc(Float32Array, n), next, -87, 88);
  for (let i = 0; i < n / 4; i++) x[i] = (next() - 0.5) * 10 ** (2 - 10 * next());
  const y = alloc(Float32Array, n);
  softplus(y.byteOffset, x.byteOffset, 0, n);
  let [worst, at] = [0, 0];
  for (let i = 0; i < n; i++) {
    const error = ulps(y[i]!, exact(x[i]!));
    if (!(error <= worst)) [worst, at] = [error, x[i]!];
  }
  expect(worst, `at ${at}`).toBeLessThanOrEqual(3);
});

test("limits, zero, subnormal results and NaN", () => {
  const inf = Number.POSITIVE_INFINITY;
  const x = place(Float32Array, [-inf, inf, 0, -0, Number.NaN, -1000, 1000, -100]);
  const y = alloc(Float32Array, 8);
  softplus(y.byteOffset, x.byteOffset, 0, 8);
  const ln2 = Math.fround(Math.LN2);
  same(y.subarray(0, 7), [0, inf, ln2, ln2, Number.NaN, 0, 1000]);
  expect(ulps(y[7]!, Math.exp(-100))).toBeLessThanOrEqual(1);
});

test.each(SIZES)("%i elements: an element's bits do not depend on its place", (n) => {
  const next = random(n);
  const x = fillFloats(alloc(Float32Array, n), next, -20, 20);
  const y = alloc(Float32Array, n);
  inPieces(y, n, next, (begin, end) => softplus(y.byteOffset, x.byteOffset, begin, end));
  softplus(x.byteOffset, x.byteOffset, 0, n);
  same(x, y);
});
