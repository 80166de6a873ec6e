import type { Traits } from "../op";
import { ofIntegers } from "./integers";
import { BOOLS } from "./pairwise";

/** Whether x is false. ONNX Not-1. */
export const not = ofIntegers({
  dtypes: BOOLS,
  known: (x) => (x === 0 ? 1 : 0),
  steps: () => [["bitXor", "x", 1]],
});

export const notTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
