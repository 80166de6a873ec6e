import type { Traits } from "../op";
import { evaluateTest, isEqual } from "./comparing";
import { ALL, pairwise } from "./pairwise";

/** 1 where both are the same. ONNX Equal-19. */
export const equal = pairwise({
  kernel: "equal",
  dtypes: ALL,
  tests: true,
  evaluate: evaluateTest(isEqual),
});

export const equalTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
