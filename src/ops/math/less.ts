import type { Traits } from "../op";
import { evaluateTest, isLess } from "./comparing";
import { NUMBERS, pairwise } from "./pairwise";

/** 1 where a < b. ONNX Less-13. */
export const less = pairwise({
  kernel: "less",
  dtypes: NUMBERS,
  tests: true,
  evaluate: evaluateTest(isLess),
});

export const lessTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
