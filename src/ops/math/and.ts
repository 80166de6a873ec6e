import type { Traits } from "../op";
import { BOOLS, evaluateBits, pairwise } from "./pairwise";

/** Whether both are true. ONNX And-7. */
export const and = pairwise({ kernel: "bitAnd", dtypes: BOOLS, evaluate: evaluateBits((a, b) => a & b) });

export const andTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
