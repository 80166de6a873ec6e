// Which range of numbers the 256 codes of an activation span, chosen on its histogram. The error of a range is the
// expected squared difference between a number and what its code stands for; exact zeros cost nothing, as zero always
// has a code.

import { OctetteError } from "../errors";
import { rne } from "../ops/codes";
import { ACTIVATION_LIMIT, activationParameters } from "../ops/scheme";
import type { Histogram } from "./observer";

/** How a range is chosen from the numbers that were seen. */
export type RangeMethod = "minmax" | "percentile" | "mse";
export const rangeMethods: readonly RangeMethod[] = ["minmax", "percentile", "mse"];
/** `auto` is the method with the least measured error. */
export type RangeChoice = RangeMethod | "auto";

/** The numbers that the codes of a value span. */
export interface Range {
  readonly lo: number;
  readonly hi: number;
}

/** A range, and how it was found. */
export interface ChosenRange extends Range {
  readonly method: RangeMethod;
  /** Expected squared error summed over all numbers seen. */
  readonly error: number;
}

/** Percentage of all numbers that the percentile range holds, cut evenly at both ends. */
export const PERCENTILE = 99.99;

/** Steps along each end of the range at the coarsest level of the search, and the factor between levels. */
const COARSE_STEPS = 32;
const FINER = 4;
const LEVELS = 4;
/** Best candidates of a level that the next one looks around. */
const KEPT = 3;

const { max, min, floor, ceil, fround } = Math;

export function checkRangeChoice(choice: string, where: string): asserts choice is RangeChoice {
  if (choice === "auto" || (rangeMethods as readonly string[]).includes(choice)) return;
  throw new OctetteError("unknown range method", {
    code: "argument",
    where,
    expected: ["auto", ...rangeMethods].join(", "),
    got: choice,
  });
}

/** The range a method picks; `auto` tries all. */
export function chooseRange(histogram: Histogram, choice: RangeChoice): ChosenRange {
  const errorOf = errorFunction(histogram);
  const methods = choice === "auto" ? rangeMethods : [choice];
  const candidates = methods.map((method): ChosenRange => {
    const range = finders[method](histogram, errorOf);
    return { method, ...range, error: errorOf(range) };
  });
  return candidates.reduce((best, candidate) => (candidate.error < best.error ? candidate : best));
}

type ErrorOf = (range: Range) => number;

const finders: Readonly<Record<RangeMethod, (histogram: Histogram, errorOf: ErrorOf) => Range>> = {
  minmax: ({ min: lo, max: hi }) => ({ lo: min(0, lo), hi: max(0, hi) }),
  percentile: percentileRange,
  mse: mseRange,
};

/** Cuts (100 − `PERCENTILE`)/2 percent of all numbers, zeros included, off both ends, interpolating inside a bin. */
function percentileRange({ counts, first, width, zeros, min: lo, max: hi }: Histogram): Range {
  const total = counts.reduce((sum, n) => sum + n, zeros);
  const cut = (total * (100 - PERCENTILE)) / 200;
  // Zeros sit at the lower edge of bin −first: they come after all bins below it.
  const walk = (bins: Iterable<number>, zerosBefore: number, edge: (bin: number, part: number) => number) => {
    let seen = 0;
    for (const bin of bins) {
      if (bin === zerosBefore) seen += zeros;
      if (seen > cut) return 0;
      const n = counts[bin]!;
      if (seen + n > cut) return edge(bin, (cut - seen) / n);
      seen += n;
    }
    return 0;
  };
  const upward = counts.keys();
  const downward = Array.from(counts.keys()).reverse();
  const low = walk(upward, -first, (bin, part) => (first + bin + part) * width);
  const high = walk(downward, -first - 1, (bin, part) => (first + bin + 1 - part) * width);
  return { lo: min(0, max(lo, low)), hi: max(0, min(hi, high)) };
}

/**
 * Least expected error over both ends of the range: a grid over fractions of the extremes, then finer grids around its
 * best points. The two ends move on their own, as one long tail does not make the other end long.
 */
function mseRange({ min: lo, max: hi }: Histogram, errorOf: ErrorOf): Range {
  interface Point {
    low: number;
    high: number;
    error: number;
  }
  const steps = COARSE_STEPS * FINER ** (LEVELS - 1);
  const at = (low: number, high: number): Point => {
    const range = { lo: (min(0, lo) * low) / steps, hi: (max(0, hi) * high) / steps };
    return { low, high, error: errorOf(range) };
  };
  let best: Point[] = [];
  for (let level = 0, stride = FINER ** (LEVELS - 1); level < LEVELS; level++, stride /= FINER) {
    const tried = new Map<number, Point>();
    const around = (centre: number, used: boolean): number[] => {
      if (!used) return [steps];
      const from = level === 0 ? stride : max(1, centre - stride * FINER);
      const to = level === 0 ? steps : min(steps, centre + stride * FINER);
      return Array.from({ length: floor((to - from) / stride) + 1 }, (_, i) => from + i * stride);
    };
    for (const { low, high } of level === 0 ? [at(steps, steps)] : best)
      for (const l of around(low, lo < 0))
        for (const h of around(high, hi > 0)) {
          const key = l * (steps + 1) + h;
          if (!tried.has(key)) tried.set(key, at(l, h));
        }
    best = [...best, ...tried.values()]
      .sort((a, b) => a.error - b.error || b.low + b.high - a.low - a.high)
      .slice(0, KEPT);
  }
  const { low, high } = best[0]!;
  return { lo: (min(0, lo) * low) / steps, hi: (max(0, hi) * high) / steps };
}

/** Fewer equal numbers than this in a bin are chance. */
const SPIKE = 16;

/**
 * Expected squared error of a range: numbers inside are rounded, uniformly within a step: s²/12 (Widrow & Kollár 2008,
 * ch. 5); those outside become the end of the range. With sums of n, n·x and n·x² up to every bin, that costs O(1). Spikes,
 * bins whose numbers are all equal, are rounded as they are: an image of 256 levels can fall on the codes exactly.
 */
export function errorFunction({ counts, single, first, width }: Histogram): ErrorOf {
  const bins = counts.length;
  const n = new Float64Array(bins + 1);
  const nx = new Float64Array(bins + 1);
  const nxx = new Float64Array(bins + 1);
  const spikes: { x: number; count: number }[] = [];
  for (let i = 0; i < bins; i++) {
    const x = (first + i + 0.5) * width;
    const isSpike = counts[i]! >= SPIKE && !Number.isNaN(single[i]!);
    if (isSpike) spikes.push({ x: single[i]!, count: counts[i]! });
    const count = isSpike ? 0 : counts[i]!;
    n[i + 1] = n[i]! + count;
    nx[i + 1] = nx[i]! + count * x;
    nxx[i + 1] = nxx[i]! + count * x * x;
  }
  const clipped = (from: number, to: number, end: number) =>
    max(0, nxx[to]! - nxx[from]! - 2 * end * (nx[to]! - nx[from]!) + end * end * (n[to]! - n[from]!));
  const binOf = (x: number) => min(bins, max(0, ceil(x / width - 0.5) - first));
  return ({ lo, hi }) => {
    const { scale, zeroPoint } = activationParameters(lo, hi);
    const low = -zeroPoint * scale;
    const high = (ACTIVATION_LIMIT - zeroPoint) * scale;
    const from = binOf(low); // first bin whose centre is at or above the lowest code
    const to = max(from, binOf(high));
    let error = clipped(0, from, low) + ((n[to]! - n[from]!) * scale * scale) / 12 + clipped(to, bins, high);
    for (const { x, count } of spikes) {
      const code = min(ACTIVATION_LIMIT, max(0, rne(fround(x / scale)) + zeroPoint));
      const difference = x - (code - zeroPoint) * scale;
      error += count * difference * difference;
    }
    return error;
  };
}
