import type { Traits } from "../op";
import { evaluateTest, isLessOrEqual } from "./comparing";
import { NUMBERS, pairwise } from "./pairwise";

/** 1 where a ≥ b. ONNX GreaterOrEqual-16. */
export const greaterOrEqual = pairwise({
  kernel: "lessOrEqual",
  dtypes: NUMBERS,
  tests: true,
  turned: true,
  evaluate: evaluateTest((a, b) => isLessOrEqual(b, a)),
});

export const greaterOrEqualTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
