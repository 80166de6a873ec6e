// Comparisons of two values of one dtype, and of dimensions over symbols, as exporters compare them.

import { type Dim, isNeverBelow0 } from "../../graph/symbols";
import { evaluateBinary } from "../broadcast";
import type { Op } from "../op";

/** 1 or 0; undefined where it depends on the value of a symbol. */
type Test = (a: Dim, b: Dim) => 0 | 1 | undefined;

export const isEqual: Test = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a === b ? 1 : 0;
  if (a === b) return 1;
  return isBelow(a, b) || isBelow(b, a) ? 0 : undefined;
};

const isBelow = (a: Dim, b: Dim) => typeof a === "number" && a < 0 && isNeverBelow0(b);

export const isLess: Test = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a < b ? 1 : 0;
  if (a === b || (isNeverBelow0(a) && typeof b === "number" && b <= 0)) return 0;
  return isBelow(a, b) ? 1 : undefined;
};

export const isLessOrEqual: Test = (a, b) => {
  if (typeof a === "number" && typeof b === "number") return a <= b ? 1 : 0;
  if (a === b || (typeof a === "number" && a <= 0 && isNeverBelow0(b))) return 1;
  return isBelow(b, a) ? 0 : undefined;
};

/** A test of known values. */
export const evaluateTest =
  (test: Test): NonNullable<Op["evaluate"]> =>
  (node, inputs) =>
    evaluateBinary(node, inputs, test)?.map((known) => ({ ...known, dtype: "bool" }));
