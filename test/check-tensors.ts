// What tensors are held to: equal bytes where the contract promises them, closeness where it is float, one code where
// a table's polynomial may round otherwise. A failure names the first element that differs.

import { expect } from "vitest";
import type { Tensor } from "../src/graph/tensor";

/** Equal dtype, shape and bytes; any NaN equals any other. */
export function expectSameBytes(actual: Tensor | undefined, expected: Tensor, label = "tensor"): void {
  expect([actual?.dtype, actual?.shape], `${label}: dtype and shape`).toEqual([
    expected.dtype,
    expected.shape,
  ]);
  const [a, b] = [actual!.data, expected.data];
  let differing = 0;
  let first = -1;
  for (let i = b.length - 1; i >= 0; i--)
    if (!Object.is(a[i], b[i])) {
      differing++;
      first = i;
    }
  if (a.length !== b.length || differing > 0)
    expect.fail(
      `${label}: ${differing} of ${b.length} differ, first at ${first}: ${a[first]} instead of ${b[first]}`,
    );
}

/** max|a − b| ≤ tolerance · max|b|, the contract's float closeness; NaN where NaN is expected. */
export function expectClose(
  actual: Tensor | undefined,
  expected: Tensor,
  label = "tensor",
  tolerance = 1e-4,
): void {
  expect([actual?.dtype, actual?.shape], `${label}: dtype and shape`).toEqual([
    expected.dtype,
    expected.shape,
  ]);
  const [a, b] = [actual!.data, expected.data];
  let largest = 0;
  for (const value of b) if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  for (let i = 0; i < b.length; i++)
    if (!Object.is(a[i], b[i]) && !(Math.abs(a[i]! - b[i]!) <= tolerance * largest))
      expect.fail(
        `${label}: [${i}] is ${a[i]} instead of ${b[i]}, largest ${largest}, tolerance ${tolerance}`,
      );
}

/** Codes that may differ by one in a table entry, where the kernels' f32 polynomial rounds otherwise than float64. */
export function expectWithinOneCode(actual: Tensor | undefined, expected: Tensor, label = "tensor"): void {
  expect([actual?.dtype, actual?.shape], `${label}: dtype and shape`).toEqual([
    expected.dtype,
    expected.shape,
  ]);
  expected.data.forEach((code, i) => {
    if (Math.abs(actual!.data[i]! - code) > 1)
      expect.fail(`${label}: [${i}] is ${actual!.data[i]} instead of ${code}`);
  });
}

/** Codes of which one in a thousand may differ by one: where a sum is rounded at another place. */
export function expectFewCodesApart(actual: Tensor | undefined, expected: Tensor, label = "tensor"): void {
  expectWithinOneCode(actual, expected, label);
  const apart = expected.data.filter((code, i) => actual!.data[i] !== code).length;
  expect(apart, `${label}: codes that differ`).toBeLessThanOrEqual(Math.ceil(expected.data.length / 1000));
}
