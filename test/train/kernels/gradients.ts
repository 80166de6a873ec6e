// What the tests of gradient kernels share: ranges over any dimension of the output, and closeness to a float64 oracle.

import { expect } from "vitest";
import { brokenGuard, expectSame, int, type random } from "../../kernels/harness";

const UNTOUCHED = 0xa5;

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/**
 * Runs a kernel over its whole range, then over a random piece, which must write the same bytes there and none
 * elsewhere, then over what is left around it. Leaves the whole result in y; `ownerOf` is where in the range an element
 * belongs.
 */
export function inRanges(
  y: Float32Array | Int32Array,
  length: number,
  ownerOf: (element: number) => number,
  next: ReturnType<typeof random>,
  run: (begin: number, end: number) => void,
): void {
  bytesOf(y).fill(UNTOUCHED);
  const untouched = y.slice();
  run(0, length);
  const whole = y.slice();
  const [begin, end] = [int(next, 0, length), int(next, 0, length)].sort((a, b) => a - b) as [number, number];
  y.set(untouched);
  run(begin, end);
  const expected = whole.map((value, i) => {
    const owner = ownerOf(i);
    return begin <= owner && owner < end ? value : untouched[i]!;
  });
  expectSame(y, expected, `elements of ${begin} to ${end}`);
  run(end, length);
  run(0, begin);
  expectSame(y, whole, `pieces 0, ${begin}, ${end}, ${length}`);
  expect(brokenGuard()).toBeUndefined();
}

/** max|got − want| ≤ 1e-5 · max|want| */
export function expectClose(got: Float32Array, want: Float64Array): void {
  expect(got.length).toBe(want.length);
  const worst = want.reduce((worst, value, i) => Math.max(worst, Math.abs(got[i]! - value)), 0);
  const largest = want.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  expect(worst).toBeLessThanOrEqual(1e-5 * largest);
}

/** The numbers of codes, as kernels see them. */
export const numbersOf = (codes: Uint8Array, scale: number, zero: number): Float32Array =>
  Float32Array.from(codes, (q) => Math.fround(q - zero) * scale);
