import type { Traits } from "../op";
import { BOOLS, evaluateBits, pairwise } from "./pairwise";

/** Whether one is true. ONNX Or-7. */
export const or = pairwise({ kernel: "bitOr", dtypes: BOOLS, evaluate: evaluateBits((a, b) => a | b) });

export const orTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
