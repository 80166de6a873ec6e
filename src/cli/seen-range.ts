// What calibration saw of a value, and the range that was chosen, as few numbers that a report can draw.

import type { ChosenRange, Histogram, RangeMethod } from "../index";

/** The range of one value, and the numbers that it was chosen from. */
export interface SeenRange {
  readonly value: string;
  /** Bounds of the range: what lies outside is clipped. */
  readonly lo: number;
  readonly hi: number;
  readonly method: RangeMethod;
  /** Least and largest number that was seen. */
  readonly min: number;
  readonly max: number;
  /** How many numbers fell into equal parts of [min, max]. */
  readonly counts: readonly number[];
}

/** Parts of a histogram that is drawn. */
const PARTS = 64;

export function seenRange(value: string, { lo, hi, method }: ChosenRange, histogram: Histogram): SeenRange {
  const { min, max, first, width, zeros } = histogram;
  const counts = new Array<number>(PARTS).fill(0);
  const add = (x: number, n: number) => {
    const part = max > min ? Math.floor(((x - min) / (max - min)) * PARTS) : 0;
    counts[Math.min(PARTS - 1, Math.max(0, part))]! += n;
  };
  histogram.counts.forEach((n, bin) => {
    if (n > 0) add((first + bin + 0.5) * width, n);
  });
  if (zeros > 0) add(0, zeros);
  return { value, lo, hi, method, min, max, counts };
}
