import type { Traits } from "../op";
import { evaluateTest, isLess } from "./comparing";
import { NUMBERS, pairwise } from "./pairwise";

/** 1 where a > b. ONNX Greater-13. */
export const greater = pairwise({
  kernel: "less",
  dtypes: NUMBERS,
  tests: true,
  turned: true,
  evaluate: evaluateTest((a, b) => isLess(b, a)),
});

export const greaterTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
