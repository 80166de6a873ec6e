// Comparisons of two values of one dtype, and of dimensions over symbols, as exporters compare them.

import { type Dim, isNatural, subtractDims } from "../../graph/symbols";
import { withinLimits } from "../../graph/within-limits";
import { evaluateBinary } from "../broadcast";
import type { Op } from "../op";

/** 1 or 0; undefined where it depends on the value of a symbol. */
type Test = (a: Dim, b: Dim) => 0 | 1 | undefined;

export const isEqual: Test = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a === b ? 1 : 0;
  if (a === b) return 1;
  return isLess(a, b) || isLess(b, a) ? 0 : undefined;
};

export const isLess: Test = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a < b ? 1 : 0;
  return withinLimits(() => {
    const apart = subtractDims(b, a);
    if (isNatural(subtractDims(apart, 1))) return 1;
    return isNatural(subtractDims(0, apart)) ? 0 : undefined;
  });
};

export const isLessOrEqual: Test = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a <= b ? 1 : 0;
  const more = isLess(b, a);
  return more === undefined ? undefined : more ? 0 : 1;
};

/** A test of known values. */
export const evaluateTest =
  (test: Test): NonNullable<Op["evaluate"]> =>
  (node, inputs) =>
    evaluateBinary(node, inputs, test)?.map((known) => ({ ...known, dtype: "bool" }));
