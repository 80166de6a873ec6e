import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, SIZES, same, ulps } from "./float";
import { alloc, fillFloats, loadCommon, place, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** Of each: the function, a bound on its error in ulp, where it is defined, and the largest number it is tried at. */
const functions = {
  sin: [Math.sin, 2, -inf, 3e38],
  cos: [Math.cos, 2, -inf, 3e38],
  tan: [Math.tan, 4, -inf, 3e38],
  asin: [Math.asin, 3, -1, 1],
  acos: [Math.acos, 2, -1, 1],
  atan: [Math.atan, 3, -inf, 3e38],
  sinh: [Math.sinh, 4, -inf, 89.4],
  cosh: [Math.cosh, 4, -inf, 89.4],
  asinh: [Math.asinh, 4, -inf, 3e38],
  acosh: [Math.acosh, 4, 1, 3e38],
  atanh: [Math.atanh, 4, -1, 1],
  log: [Math.log, 1, 0, 3e38],
} as const;

const N = 100_000;

describe.each(Object.entries(functions))("%s", (name, [exact, bound, least, most]) => {
  const run = kernels[name as "sin"];

  test(`within ${bound} ulp on ${least}…${most}, of every size of number`, () => {
    const next = random(1);
    const x = alloc(Float32Array, N);
    const y = alloc(Float32Array, N);
    const low = Math.max(least, -most);
    for (let i = 0; i < N; i++) {
      // Half of them evenly on ±100, the others by the order of their size.
      const even = Math.max(low, Math.min(most, (next() - 0.5) * 200));
      const sized = Math.min(most, 10 ** (76 * next() - 38)) * (next() < 0.5 ? -1 : 1);
      x[i] = Math.max(low, i % 2 === 0 ? even : sized);
    }
    run(y.byteOffset, x.byteOffset, 0, N);
    let [worst, at] = [0, 0];
    for (let i = 0; i < N; i++) {
      const error = ulps(y[i]!, exact(x[i]!));
      if (!(error <= worst)) [worst, at] = [error, x[i]!];
    }
    expect(worst, `at ${at}`).toBeLessThanOrEqual(bound);
  });

  test("zeros, ends and NaN", () => {
    const values = [0, -0, 1, -1, inf, -inf, nan];
    const x = place(Float32Array, values);
    const y = alloc(Float32Array, values.length);
    run(y.byteOffset, x.byteOffset, 0, values.length);
    for (const [i, value] of values.entries())
      expect(ulps(y[i]!, exact(value)) || 0, `at ${value}`).toBeLessThanOrEqual(bound);
    for (const [i, value] of values.entries())
      expect(Number.isNaN(y[i]), `at ${value}`).toBe(Number.isNaN(exact(value)));
  });

  test.each(SIZES)("%i elements: an element's bits do not depend on its place", (n) => {
    const next = random(n);
    const x = fillFloats(alloc(Float32Array, n), next, Math.max(least, -9), Math.min(most, 9));
    const y = alloc(Float32Array, n);
    inPieces(y, n, next, (begin, end) => run(y.byteOffset, x.byteOffset, begin, end));
    run(x.byteOffset, x.byteOffset, 0, n);
    same(x, y);
  });
});

const activations = {
  selu: [(x: number) => 1.5 * (x > 0 ? x : 2 * Math.expm1(x)), [2, 1.5], 8],
  celu: [(x: number) => (x > 0 ? x : 2 * Math.expm1(x / 2)), [2], 8],
  mish: [(x: number) => x * Math.tanh(Math.log1p(Math.exp(x))), [], 8],
  softsign: [(x: number) => x / (1 + Math.abs(x)), [], 2],
  thresholdedRelu: [(x: number) => (x > 0.5 ? x : 0), [0.5], 0],
  shrink: [(x: number) => (x < -0.5 ? x + 0.25 : x > 0.5 ? x - 0.25 : 0), [0.5, 0.25], 1],
  // What alpha · x loses grows with it.
  swish: [(x: number) => x / (1 + Math.exp(-1.5 * x)), [1.5], 128],
} as const;

describe.each(Object.entries(activations))("%s", (name, [exact, scalars, bound]) => {
  const run = kernels[name as "celu"] as (...args: number[]) => void;

  test(`within ${bound} ulp on ±80; NaN stays NaN, or is neither above nor below`, () => {
    const next = random(2);
    const x = fillFloats(alloc(Float32Array, N), next, -80, 80);
    for (let i = 0; i < N; i += 2) x[i]! /= 40;
    x[0] = nan;
    const y = alloc(Float32Array, N);
    run(y.byteOffset, x.byteOffset, ...scalars, 0, N);
    expect(y[0]).toBe(exact(nan));
    // Where e^x is below what f32 holds next to 1, nothing is left of it.
    for (let i = 1; i < N; i++)
      if (Math.abs(exact(x[i]!)) > 1e-30)
        expect(ulps(y[i]!, exact(x[i]!)), `at ${x[i]}`).toBeLessThanOrEqual(bound);
  });

  test.each(SIZES)("%i elements in pieces", (n) => {
    const next = random(n);
    const x = fillFloats(alloc(Float32Array, n), next, -9, 9);
    const y = alloc(Float32Array, n);
    inPieces(y, n, next, (begin, end) => run(y.byteOffset, x.byteOffset, ...scalars, begin, end));
  });
});
