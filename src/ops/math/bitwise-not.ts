import type { Traits } from "../op";
import { ofIntegers } from "./integers";
import { INTEGERS } from "./pairwise";

/** The bits that x does not have. ONNX BitwiseNot-18. */
export const bitwiseNot = ofIntegers({
  dtypes: INTEGERS,
  known: (x) => ~x,
  steps: () => [["bitXor", "x", -1]],
});

export const bitwiseNotTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
