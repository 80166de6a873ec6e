import { beforeEach, describe, expect, test } from "vitest";
import { inPieces, SIZES, same, ulps } from "./float";
import { alloc, fillFloats, loadCommon, place, random, reset } from "./harness";

const kernels = loadCommon();
beforeEach(reset);

const f = Math.fround;
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** erf in float64: Maclaurin series below 3, continued fraction of erfc above. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let [sum, term] = [a, a];
    for (let n = 1; n < 100; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

type Run = (y: number, x: number, begin: number, end: number) => void;

interface Case {
  readonly run: Run;
  readonly exact: (x: number) => number;
  readonly range: readonly [number, number];
  /** Largest error in ulp, or relative to the largest |y| where `absolute`. */
  readonly error: number;
  readonly absolute?: true;
  /** Values at −∞, ∞. */
  readonly limits: readonly [number, number];
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const cubic = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const unit = (x: number) => Math.min(Math.max(x, 0), 1);

/** Accurate functions: error bounds against float64. */
const CASES: Record<string, Case> = {
  exp: {
    run: (...a) => kernels.exp(...a),
    exact: Math.exp,
    range: [-87, 88.7],
    error: 1.5,
    limits: [0, inf],
  },
  erf: { run: (...a) => kernels.erf(...a), exact: erf, range: [-5, 5], error: 8, limits: [-1, 1] },
  tanh: { run: (...a) => kernels.tanh(...a), exact: Math.tanh, range: [-10, 10], error: 2, limits: [-1, 1] },
  sigmoid: {
    run: (...a) => kernels.sigmoid(...a),
    exact: sigmoid,
    range: [-87, 30],
    error: 3,
    limits: [0, 1],
  },
  silu: {
    run: (...a) => kernels.silu(...a),
    exact: (x) => x * sigmoid(x),
    range: [-80, 30],
    error: 3,
    limits: [nan, inf],
  },
  elu: {
    run: (y, x, b, e) => kernels.elu(y, x, 1, b, e),
    exact: (x) => (x > 0 ? x : Math.expm1(x)),
    range: [-40, 5],
    error: 2,
    limits: [-1, inf],
  },
  gelu: {
    run: (...a) => kernels.gelu(...a),
    exact: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
    range: [-6, 6],
    error: 3e-7,
    absolute: true,
    limits: [nan, inf],
  },
  geluTanh: {
    run: (...a) => kernels.geluTanh(...a),
    exact: (x) => x * sigmoid(2 * cubic(x)),
    range: [-6, 6],
    error: 1e-7,
    absolute: true,
    limits: [nan, inf],
  },
};

describe.each(Object.entries(CASES))("%s", (_, { run, exact, range, error, absolute, limits }) => {
  test(`within ${error}${absolute ? " of the largest value" : " ulp"} on ${range}, dense grid and random`, () => {
    const next = random(1);
    const n = 400_000;
    const x = fillFloats(alloc(Float32Array, n), next, range[0], range[1]);
    for (let i = 0; i < n / 4; i++) x[i] = (range[0] * i * 4) / n;
    for (let i = n / 4; i < n / 2; i++) x[i] = (next() - 0.5) * 10 ** (-8 * next());
    const y = alloc(Float32Array, n);
    run(y.byteOffset, x.byteOffset, 0, n);
    let [worst, at, largest] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const value = exact(x[i]!);
      largest = Math.max(largest, Math.abs(value));
      const e = absolute ? Math.abs(y[i]! - value) : ulps(y[i]!, value);
      if (!(e <= worst)) [worst, at] = [e, x[i]!];
    }
    if (absolute) worst /= largest;
    expect(worst, `at ${at}: ${worst}`).toBeLessThanOrEqual(error);
  });

  test("limits, zero and NaN", () => {
    const x = place(Float32Array, [-inf, inf, 0, nan]);
    const y = alloc(Float32Array, 4);
    run(y.byteOffset, x.byteOffset, 0, 4);
    same(y, [...limits, f(exact(0)), nan]);
  });

  test.each(SIZES)("%i elements: an element's bits do not depend on its place", (n) => {
    const next = random(n);
    const x = fillFloats(alloc(Float32Array, n), next, range[0], range[1]);
    const y = alloc(Float32Array, n);
    inPieces(y, n, next, (begin, end) => run(y.byteOffset, x.byteOffset, begin, end));
    run(x.byteOffset, x.byteOffset, 0, n);
    same(x, y);
  });
});

/** Functions of one or two rounded operations: bit-equal to scalar f32. */
const EXACT: Record<string, { run: Run; exact: (x: number) => number }> = {
  "clip 0..6": {
    run: (y, x, b, e) => kernels.clip(y, x, 0, 6, b, e),
    exact: (x) => Math.min(Math.max(x, 0), 6),
  },
  relu: { run: (y, x, b, e) => kernels.clip(y, x, 0, inf, b, e), exact: (x) => Math.max(x, 0) },
  leakyRelu: {
    run: (y, x, b, e) => kernels.leakyRelu(y, x, 0.1, b, e),
    exact: (x) => (x < 0 ? x * f(0.1) : x),
  },
  sqrt: { run: (...a) => kernels.sqrt(...a), exact: Math.sqrt },
  neg: { run: (...a) => kernels.neg(...a), exact: (x) => -x },
  abs: { run: (...a) => kernels.abs(...a), exact: Math.abs },
  hardSigmoid: {
    run: (y, x, b, e) => kernels.hardSigmoid(y, x, 0.2, 0.5, b, e),
    exact: (x) => unit(f(f(x * f(0.2)) + 0.5)),
  },
  hardSwish: { run: (...a) => kernels.hardSwish(...a), exact: (x) => x * unit(f(f(x * f(1 / 6)) + 0.5)) },
};

describe.each(Object.entries(EXACT))("%s", (_, { run, exact }) => {
  test.each(SIZES)("%i elements: bit-equal to scalar f32", (n) => {
    const next = random(n);
    const x = fillFloats(alloc(Float32Array, n), next, -9, 9);
    const special = [0, -0, nan, inf, -inf, 1e-40];
    if (n > 8) x.set(special);
    const y = alloc(Float32Array, n);
    inPieces(y, n, next, (begin, end) => run(y.byteOffset, x.byteOffset, begin, end));
    same(
      y,
      Array.from(x, (v) => f(exact(v))),
    );
  });
});

test("exp: subnormal results, overflow and underflow", () => {
  const x = place(Float32Array, [-90, -100, -103.5, -104.5, -1000, 88.7, 88.8, 1000]);
  const y = alloc(Float32Array, 8);
  kernels.exp(y.byteOffset, x.byteOffset, 0, 8);
  expect(ulps(y[0]!, Math.exp(-90))).toBeLessThanOrEqual(1);
  expect(ulps(y[1]!, Math.exp(-100))).toBeLessThanOrEqual(1);
  expect(y[2]).toBe(2 ** -149);
  expect(ulps(y[5]!, Math.exp(x[5]!))).toBeLessThanOrEqual(1.5);
  same([y[3]!, y[4]!, y[6]!, y[7]!], [0, 0, inf, inf]);
});
