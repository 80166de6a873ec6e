// What the tests of the common module share: ranges in pieces, bits, ulp, and the order of sums.

import { expect } from "vitest";
import { brokenGuard, type random } from "./harness";

const UNTOUCHED = 0xa5;

/** Lane counts and their neighbours, and none. */
export const SIZES = [0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100];

const bytesOf = (view: ArrayBufferView) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/**
 * Runs a kernel over its whole range, then over a random piece, which must write the same bytes there and none
 * elsewhere, then over what is left around it. Leaves the whole result in y.
 */
export function inPieces(
  y: ArrayBufferView,
  length: number,
  next: ReturnType<typeof random>,
  run: (begin: number, end: number) => void,
): void {
  const bytes = bytesOf(y);
  const unit = length ? bytes.length / length : 0;
  bytes.fill(UNTOUCHED);
  run(0, length);
  const whole = bytes.slice();
  const cuts = [Math.floor(next() * (length + 1)), Math.floor(next() * (length + 1))].sort((a, b) => a - b);
  const [begin, end] = cuts as [number, number];
  bytes.fill(UNTOUCHED);
  run(begin, end);
  const expected = new Uint8Array(bytes.length).fill(UNTOUCHED);
  expected.set(whole.subarray(begin * unit, end * unit), begin * unit);
  same(bytes, expected);
  run(end, length);
  run(0, begin);
  same(bytes, whole);
  expect(brokenGuard()).toBeUndefined();
}

/** The same values bit for bit, any NaN being NaN. Names the first that differs. */
export function same(got: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < got.length; i++) {
    if (!Object.is(got[i], expected[i])) expect({ i, value: got[i] }).toEqual({ i, value: expected[i] });
  }
}

/** Distance in units in the last place of the f32 nearest to `expected`. */
export function ulps(got: number, expected: number): number {
  const nearest = Math.fround(expected);
  if (Object.is(got, nearest) || got === nearest) return 0;
  if (!Number.isFinite(nearest)) return Number.POSITIVE_INFINITY;
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(nearest))));
  return Math.abs(got - expected) / 2 ** (exponent - 23);
}

/** To the nearest integer, half to even; −0 becomes 0. */
export function rne(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return (rest < 0.5 ? floor : floor + 1) + 0;
  return (floor % 2 === 0 ? floor : floor + 1) + 0;
}

/** clamp(rne(f32(x / scale)) + zero, lo, hi), NaN as 0 before the zero point. */
export function quantizeOne(x: number, scale: number, zero: number, lo: number, hi: number): number {
  const q = Math.fround(x / scale);
  return Math.min(Math.max((Number.isNaN(q) ? 0 : Number.isFinite(q) ? rne(q) : q) + zero, lo), hi);
}

/** Sum of every fourth element, then (l0 + l2) + (l1 + l3), each rounded to f32. */
export function laneSum(values: ArrayLike<number>): number {
  const lane = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) lane[i % 4] = Math.fround(lane[i % 4]! + values[i]!);
  return Math.fround(Math.fround(lane[0]! + lane[2]!) + Math.fround(lane[1]! + lane[3]!));
}
