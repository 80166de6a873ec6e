import { beforeEach, expect, test } from "vitest";
import { inPieces, SIZES, same } from "../../kernels/float";
import { alloc, fillFloats, loadTrain, place, random, reset } from "../../kernels/harness";
import { erf } from "../../reference/elementwise";

const kernels = loadTrain();
beforeEach(reset);

const f = Math.fround;
const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

type Run = (dx: number, dy: number, saved: number, begin: number, end: number) => void;
type Exact = (dy: number, saved: number) => number;

/** Kernels of f32 arithmetic alone: equal to the bit. */
const EXACT: Record<string, readonly [Run, Exact]> = {
  clipGradient: [
    (dx, dy, y, b, e) => kernels.clipGradient(dx, dy, y, -0.5, 1, b, e),
    (dy, y) => (y > -0.5 && y < 1 ? dy : 0),
  ],
  absGradient: [
    (dx, dy, x, b, e) => kernels.absGradient(dx, dy, x, b, e),
    (dy, x) => (x > 0 ? dy : 0) - (x < 0 ? dy : 0),
  ],
  leakyReluGradient: [
    (dx, dy, x, b, e) => kernels.leakyReluGradient(dx, dy, x, 0.25, b, e),
    (dy, x) => (x < 0 ? f(dy * 0.25) : dy),
  ],
  hardSigmoidGradient: [
    (dx, dy, y, b, e) => kernels.hardSigmoidGradient(dx, dy, y, 0.25, b, e),
    (dy, y) => (y > 0 && y < 1 ? f(dy * 0.25) : 0),
  ],
  hardSwishGradient: [
    (dx, dy, x, b, e) => kernels.hardSwishGradient(dx, dy, x, b, e),
    (dy, x) => (x <= -3 ? 0 : x < 3 ? f(dy * f(f(x * f(1 / 3)) + 0.5)) : dy),
  ],
  sigmoidGradient: [
    (dx, dy, y, b, e) => kernels.sigmoidGradient(dx, dy, y, b, e),
    (dy, y) => f(dy * f(y * f(1 - y))),
  ],
  tanhGradient: [
    (dx, dy, y, b, e) => kernels.tanhGradient(dx, dy, y, b, e),
    (dy, y) => f(dy * f(1 - f(y * y))),
  ],
};

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** Slopes with an exponential in them. */
const NEAR: Record<string, readonly [Run, (x: number) => number]> = {
  eluGradient: [
    (dx, dy, x, b, e) => kernels.eluGradient(dx, dy, x, 1.5, b, e),
    (x) => (x > 0 ? 1 : 1.5 * Math.exp(x)),
  ],
  siluGradient: [
    (dx, dy, x, b, e) => kernels.siluGradient(dx, dy, x, b, e),
    (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))),
  ],
  geluGradient: [
    (dx, dy, x, b, e) => kernels.geluGradient(dx, dy, x, b, e),
    (x) => 0.5 * (1 + erf(x * Math.SQRT1_2)) + x * density(x),
  ],
  geluTanhGradient: [
    (dx, dy, x, b, e) => kernels.geluTanhGradient(dx, dy, x, b, e),
    (x) => {
      const scale = 2 * Math.sqrt(2 / Math.PI);
      const s = sigmoid(scale * (x + 0.044715 * x ** 3));
      return s * (1 + x * (1 - s) * scale * (1 + 3 * 0.044715 * x * x));
    },
  ],
  erfGradient: [
    (dx, dy, x, b, e) => kernels.erfGradient(dx, dy, x, b, e),
    (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x),
  ],
};

test.each(Object.entries(EXACT))("%s: f32 arithmetic to the bit", (_, [run, exact]) => {
  for (const n of SIZES) {
    const next = random(n);
    const dy = fillFloats(alloc(Float32Array, n), next, -3, 3);
    const saved = fillFloats(alloc(Float32Array, n), next, -4, 4);
    const dx = alloc(Float32Array, n);
    inPieces(dx, n, next, (b, e) => run(dx.byteOffset, dy.byteOffset, saved.byteOffset, b, e));
    const expected = Array.from(dy, (d, i) => exact(d, saved[i]!));
    same(
      dx.map((v) => v + 0),
      expected.map((v) => v + 0),
    );
    run(dy.byteOffset, dy.byteOffset, saved.byteOffset, 0, n);
    same(dy, dx);
  }
});

test.each(Object.entries(NEAR))("%s: within 2e-6 of the slope in float64", (_, [run, slope]) => {
  for (const n of [...SIZES, 4000]) {
    const next = random(n + 7);
    const dy = fillFloats(alloc(Float32Array, n), next, -1, 1);
    const x = fillFloats(alloc(Float32Array, n), next, -8, 8);
    const dx = alloc(Float32Array, n);
    inPieces(dx, n, next, (b, e) => run(dx.byteOffset, dy.byteOffset, x.byteOffset, b, e));
    for (const [i, got] of dx.entries()) expect(Math.abs(got - dy[i]! * slope(x[i]!))).toBeLessThan(2e-6);
    run(dy.byteOffset, dy.byteOffset, x.byteOffset, 0, n);
    same(dy, dx);
  }
});

test("far from 0 slopes are 0 and 1, and never NaN", () => {
  for (const name of ["siluGradient", "geluGradient", "geluTanhGradient"]) {
    const x = place(Float32Array, [-80, 80, -30, 30]);
    const dy = place(Float32Array, [1, 1, 1, 1]);
    NEAR[name]![0](dy.byteOffset, dy.byteOffset, x.byteOffset, 0, 4);
    expect(
      Array.from(dy, (v) => Math.round(v * 1e6) / 1e6 + 0),
      name,
    ).toEqual([0, 1, 0, 1]);
  }
});

test("bounds are not passed, ∞ is no bound, NaN does not pass", () => {
  const y = place(Float32Array, [0, 1e-45, 1e38, 6, nan, -1]);
  const dy = place(Float32Array, [1, 2, 3, 4, 5, 6]);
  const dx = alloc(Float32Array, 6);
  kernels.clipGradient(dx.byteOffset, dy.byteOffset, y.byteOffset, 0, inf, 0, 6);
  same(dx, [0, 2, 3, 4, 0, 0]);
  kernels.clipGradient(dx.byteOffset, dy.byteOffset, y.byteOffset, 0, 6, 0, 6);
  same(dx, [0, 2, 0, 0, 0, 0]);
});
