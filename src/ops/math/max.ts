// Max: the elementwise largest of its inputs, NaN where one is.

import { type Dim, isNeverBelow0 } from "../../graph/symbols";
import type { Traits } from "../op";
import { extremum } from "./extremum";

/** Most dimensions are never below zero, so that a bound of zero or less says nothing. */
const isIdle = (bound: Dim, dim: Dim) => typeof bound === "number" && bound <= 0 && isNeverBelow0(dim);

export const max = extremum("maximum", (a, b) => {
  if (typeof a === "number" && typeof b === "number") return Math.max(a, b);
  if (a === b || isIdle(b, a)) return a;
  return isIdle(a, b) ? b : undefined;
});

export const maxTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
