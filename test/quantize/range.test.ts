import { describe, expect, test } from "vitest";
import { activationParameters } from "../../src/ops/scheme";
import { Observer } from "../../src/quantize/observer";
import { chooseRange, errorFunction, PERCENTILE, rangeMethods } from "../../src/quantize/range";
import { randomOf } from "../graph-builder";
import { quantizeValue } from "../reference/quantize";

const histogramOf = (data: Float32Array) => {
  const observer = new Observer();
  observer.observe({ data });
  return observer.histogram();
};

/** Sum of twelve uniform numbers, less six: near enough to a normal distribution. */
function bell(n: number, seed = 1): Float32Array {
  const { between } = randomOf(seed);
  return Float32Array.from(
    { length: n },
    () => Array.from({ length: 12 }, () => between(0, 1)).reduce((a, b) => a + b) - 6,
  );
}

/** Squared error of quantizing the numbers themselves. */
function measured(data: Float32Array, range: { lo: number; hi: number }): number {
  const { scale, zeroPoint } = activationParameters(range.lo, range.hi);
  return data.reduce(
    (sum, x) => sum + (x - (quantizeValue(x, scale, zeroPoint, 0, 255) - zeroPoint) * scale) ** 2,
    0,
  );
}

const relu = (data: Float32Array) => data.map((x) => Math.max(x, 0));
const withOutliers = (data: Float32Array) => data.map((x, i) => (i % 5000 === 7 ? x * 30 : x));

const cases = [
  { name: "a bell", data: bell(20_000) },
  { name: "a bell after Relu", data: relu(bell(20_000)) },
  { name: "outliers", data: withOutliers(bell(20_000)) },
  { name: "outliers after Relu", data: relu(withOutliers(bell(20_000))) },
  { name: "a lopsided bell", data: bell(20_000).map((x) => (x < 0 ? x / 9 : x * x)) },
];

describe.each(cases)("$name", ({ data }) => {
  const histogram = histogramOf(data);

  test.each(rangeMethods)("the expected error of %s is within 5 % of the measured one", (method) => {
    const { lo, hi, error } = chooseRange(histogram, method);
    expect(error / measured(data, { lo, hi })).toBeGreaterThan(0.95);
    expect(error / measured(data, { lo, hi })).toBeLessThan(1.05);
  });

  test("mse is within 1 % of an exhaustive search on the numbers themselves", () => {
    const { lo, hi } = chooseRange(histogram, "mse");
    const found = measured(data, { lo, hi });
    let best = Infinity;
    const low = Math.min(0, ...data);
    const high = Math.max(0, ...data);
    for (let l = low < 0 ? 1 : 40; l <= 40; l++)
      for (let h = 1; h <= 40; h++)
        best = Math.min(best, measured(data, { lo: (low * l) / 40, hi: (high * h) / 40 }));
    expect(found).toBeLessThanOrEqual(best * 1.01);
  });

  test("auto is the method with the least error", () => {
    const errors = rangeMethods.map((method) => chooseRange(histogram, method).error);
    expect(chooseRange(histogram, "auto").error).toBe(Math.min(...errors));
  });

  test(`percentile holds ${PERCENTILE} % of the numbers`, () => {
    const { lo, hi } = chooseRange(histogram, "percentile");
    const outside = data.filter((x) => x < lo || x > hi).length / data.length;
    expect(outside).toBeLessThan((100 - PERCENTILE) / 100 + 3e-4);
  });
});

test("an image whose 256 levels can fall on the codes keeps its full range, without error", () => {
  const { below } = randomOf(3);
  const data = Float32Array.from({ length: 40_000 }, () => {
    const byte = below(4) ? 0 : below(256);
    return Math.fround((byte - 33) / 255 / 0.3081);
  });
  const { lo, hi, error } = chooseRange(histogramOf(data), "auto");
  expect(hi - lo).toBeCloseTo(1 / 0.3081, 2);
  expect(error / data.length).toBeLessThan(1e-6);
  expect(measured(data, { lo, hi }) / data.length).toBeLessThan(1e-6);
});

test("numbers piled up at an upper bound are not clipped off it", () => {
  const data = bell(10_000).map((x) => Math.min(Math.max(3 * x, 0), 6));
  expect(chooseRange(histogramOf(data), "auto").hi).toBeCloseTo(6, 2);
});

test("zero costs nothing, nor does a value that was never seen", () => {
  expect(chooseRange(histogramOf(new Float32Array(5)), "auto")).toMatchObject({ lo: 0, hi: 0, error: 0 });
  expect(chooseRange(histogramOf(new Float32Array(0)), "auto")).toMatchObject({ lo: 0, hi: 0, error: 0 });
  const data = relu(bell(1000));
  const range = { lo: -0.5, hi: 1 };
  const withoutZeros = errorFunction(histogramOf(data.filter((x) => x !== 0)))(range);
  expect(errorFunction(histogramOf(data))(range)).toBe(withoutZeros);
});

test.each([1, 3, 4, 17])("%d numbers: the range covers zero and lies within the extremes", (n) => {
  const data = bell(n, n).map((x) => x + 3);
  for (const method of rangeMethods) {
    const { lo, hi } = chooseRange(histogramOf(data), method);
    expect(lo).toBeLessThanOrEqual(0);
    expect(hi).toBeGreaterThan(0);
    expect(hi).toBeLessThanOrEqual(Math.max(...data));
  }
});
