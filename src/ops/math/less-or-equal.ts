import type { Traits } from "../op";
import { evaluateTest, isLessOrEqual } from "./comparing";
import { NUMBERS, pairwise } from "./pairwise";

/** 1 where a ≤ b. ONNX LessOrEqual-16. */
export const lessOrEqual = pairwise({
  kernel: "lessOrEqual",
  dtypes: NUMBERS,
  tests: true,
  evaluate: evaluateTest(isLessOrEqual),
});

export const lessOrEqualTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
