// The statistics of reports, against exact sums and published values.

import { describe, expect, test } from "vitest";
import { argmax, mcnemar, NoiseMeter, PairedCounts } from "../../src/report/metrics";

/** The definition in whole numbers: min(1, 2 · Σ C(n, k) / 2ⁿ), with 300 decimal digits. */
function exact(b: number, c: number): number {
  const n = b + c;
  let term = 1n;
  let sum = 0n;
  for (let k = 0; k <= Math.min(b, c); k++) {
    sum += term;
    term = (term * BigInt(n - k)) / BigInt(k + 1);
  }
  return Math.min(1, Number((2n * sum * 10n ** 300n) >> BigInt(n)) / 1e300);
}

describe("mcnemar", () => {
  test("known values", () => {
    expect(mcnemar(0, 0)).toBe(1);
    expect(mcnemar(5, 5)).toBe(1);
    expect(mcnemar(0, 1)).toBe(1);
    expect(mcnemar(0, 5)).toBe(0.0625); // 2 / 2⁵
    expect(mcnemar(1, 9)).toBe(22 / 1024); // 2 · (1 + 10) / 2¹⁰
    expect(mcnemar(5, 15)).toBeCloseTo(0.04138947, 8); // R: binom.test(5, 20)
    expect(mcnemar(86, 150)).toBeCloseTo(3.7e-5, 5); // Agresti, approval ratings
  });

  test("equals the exact sum to 1e-12 for every split of up to 60, and is symmetric", () => {
    for (let n = 0; n <= 60; n++)
      for (let b = 0; b <= n; b++) {
        expect(Math.abs(mcnemar(b, n - b) / exact(b, n - b) - 1)).toBeLessThan(1e-12);
        expect(mcnemar(b, n - b)).toBe(mcnemar(n - b, b));
      }
  });

  test("large counts neither overflow nor vanish early", () => {
    for (const [b, c] of [
      [400, 600],
      [300, 700],
      [4900, 5100],
      [0, 1000],
    ] as const) {
      const p = mcnemar(b, c);
      const sum = exact(b, c);
      if (sum > 1e-290) expect(Math.abs(p / sum - 1)).toBeLessThan(1e-10);
      expect(p).toBeGreaterThan(0);
    }
    expect(mcnemar(49_000, 51_000)).toBeCloseTo(2.54e-10, 11);
    expect(mcnemar(0, 5000)).toBe(0);
    expect(mcnemar(500_000, 500_001)).toBe(1);
    expect(mcnemar(500_000, 500_002)).toBeCloseTo(0.9992, 3);
  });
});

test("argmax takes the first of equals and no NaN", () => {
  expect(argmax([9, 1, 3, 3], 1, 3)).toBe(1);
  expect(argmax([Number.NaN, 1], 0, 2)).toBe(1);
  expect(argmax([Number.NaN, Number.NEGATIVE_INFINITY], 0, 2)).toBe(1);
  expect(argmax([Number.NaN, Number.NaN], 0, 2)).toBe(-1);
  expect(argmax([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY], 0, 2)).toBe(0);
});

test("noise is counted over all batches", () => {
  const meter = new NoiseMeter();
  meter.add([3, 4], [3, 4]);
  expect(meter.sqnrDb).toBe(Number.POSITIVE_INFINITY);
  meter.add([5], [5.5]);
  expect(meter.sqnrDb).toBeCloseTo(10 * Math.log10(50 / 0.25), 10);
  expect([meter.maxDifference, meter.maxReference]).toEqual([0.5, 5]);
});

test("pairs are counted with and without labels", () => {
  const counts = new PairedCounts();
  counts.add(1, 1, 1);
  counts.add(1, 1, 0);
  counts.add(0, 1, 1);
  counts.add(2, undefined, 2);
  expect(counts).toMatchObject({ n: 4, agree: 2, right: 2, otherRight: 2, onlyRight: 1, onlyOtherRight: 1 });
});
