// Floats that follow from sizes: exporters divide a size as a float, round it and go on with the integer. What f32 arithmetic makes of
// them is known exactly where nothing that it rounds can reach the next integer.

import type { Node } from "../graph/graph";
import {
  addDims,
  type Dim,
  divideDims,
  floorDims,
  multiplyDims,
  subtractDims,
  truncDims,
} from "../graph/symbols";

/** A quotient of sizes that f32 arithmetic has computed. */
export interface Real {
  readonly of: Dim;
  readonly by: number;
  /** How often it was rounded on the way. */
  readonly rounded: number;
  /** The quotients on the way, itself included, and whether they were rounded. */
  readonly way: readonly Stop[];
  /** What must not be below 0, so that whole numbers on the way are what they are told to be. */
  readonly needs: readonly Dim[];
}

interface Stop {
  readonly of: Dim;
  readonly by: number;
  readonly isRounded: boolean;
}

/** Whole numbers up to here have an f32 each. */
const MOST = 2 ** 24;
/** Sizes up to here have to be exact, so that it is worth while. */
const LEAST = 2 ** 20;
/** Largest divisor. */
const MAX_BY = 2 ** 12;
/** Quotients on the way. */
const MAX_WAY = 32;

/** A number, or a size, as a float; undefined of a number that is larger than what is told, or has more binary digits. */
export function realOf(value: Dim): Real | undefined {
  if (typeof value === "string") return after(value, 1);
  if (Math.abs(value) > MOST) return undefined;
  for (let by = 1; by <= MAX_BY; by *= 2) if (Number.isInteger(value * by)) return after(value * by, by);
  return undefined;
}

/** What is computed of some: it is rounded unless they were not, and it has no more binary digits than an f32. */
function after(of: Dim, by: number, ...from: readonly Real[]): Real | undefined {
  if (by > MAX_BY) return undefined;
  const before = from.reduce((n, { rounded }) => n + rounded, 0);
  const whole = divideDims(of, by);
  const own = whole === undefined ? { of, by } : { of: whole, by: 1 };
  const isRounded = before > 0 || (own.by & (own.by - 1)) !== 0;
  const stops = [...from.flatMap(({ way }) => way), { ...own, isRounded }];
  const way = [...new Map(stops.map((stop) => [`${Object.values(stop)}`, stop])).values()];
  const needs = [...new Set(from.flatMap((one) => one.needs))];
  if (way.length > MAX_WAY) return undefined;
  return { ...own, rounded: before + (isRounded ? 1 : 0), way, needs };
}

/** A sum of two of which one at most was rounded, or the difference. */
export function realSum(a: Real, b: Real, sign: 1 | -1): Real | undefined {
  if (a.rounded > 0 && b.rounded > 0) return undefined;
  const of = addDims(multiplyDims(a.of, b.by), multiplyDims(b.of, sign * a.by));
  return after(of, a.by * b.by, a, b);
}

/** A product of two that were not rounded: what was could miss a whole number. */
export const realProduct = (a: Real, b: Real): Real | undefined =>
  a.rounded + b.rounded > 0 ? undefined : after(multiplyDims(a.of, b.of), a.by * b.by, a, b);

/** A quotient by a number, of what was not rounded. */
export function realQuotient(a: Real, b: Real): Real | undefined {
  if (typeof b.of === "string" || b.of === 0 || a.rounded + b.rounded > 0) return undefined;
  return after(multiplyDims(a.of, Math.sign(b.of) * b.by), a.by * Math.abs(b.of), a, b);
}

const roundings = {
  down: ({ of, by }: Real) => floorDims(of, by),
  up: ({ of, by }: Real) => floorDims(addDims(of, by - 1), by),
  cut: ({ of, by }: Real) => (by === 1 ? of : truncDims(of, by)),
};

/**
 * The whole number that a float is rounded to. A quotient that is none lies 1 ÷ by or more from the next whole number, and each rounding on
 * the way is off by 2^-24 of its result or less: below some size that does not reach it. A quotient that is one was never rounded.
 */
export function realRounded(a: Real, way: keyof typeof roundings): Real | undefined {
  const off = MOST / (a.rounded * a.by);
  const most = ({ by, isRounded }: Stop) =>
    isRounded ? Math.min(MOST, Math.floor(by * (off - 1)) - 1) : MOST;
  if (a.way.some((stop) => most(stop) < LEAST)) return undefined;
  const needs = a.way.flatMap((stop) => [addDims(stop.of, most(stop)), subtractDims(most(stop), stop.of)]);
  if (needs.some((dim) => Number(dim) < 0)) return undefined;
  const whole = roundings[way](a);
  return { of: whole, by: 1, rounded: 0, way: [], needs: [...a.needs, ...needs] };
}

type Rule = (node: Node, inputs: readonly Real[]) => Real | undefined;

/** What ops make of numbers that follow from sizes, one of each input; undefined where that is not known. */
export const realRules: Readonly<Record<string, Rule>> = {
  Add: (_, [a, b]) => realSum(a!, b!, 1),
  Sub: (_, [a, b]) => realSum(a!, b!, -1),
  Mul: (_, [a, b]) => realProduct(a!, b!),
  Div: (_, [a, b]) => realQuotient(a!, b!),
  Floor: (_, [x]) => realRounded(x!, "down"),
  Ceil: (_, [x]) => realRounded(x!, "up"),
  Cast({ attributes }, [x]) {
    if (attributes.to === "f32") return x;
    return attributes.to === "i32" ? realRounded(x!, "cut") : undefined;
  },
};
