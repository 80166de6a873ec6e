// Min: the elementwise smallest of its inputs, NaN where one is.

import { minDims } from "../../graph/symbols";
import type { Traits } from "../op";
import { extremum } from "./extremum";

/** INT64_MAX and INT32_MAX, cut to i32, stand for "no bound". */
const UNBOUNDED = 0x7fffffff;

export const min = extremum("minimum", (a, b) => {
  if (b === UNBOUNDED) return a;
  return a === UNBOUNDED ? b : minDims(a, b);
});

export const minTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
