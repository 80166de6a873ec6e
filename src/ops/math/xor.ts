import type { Traits } from "../op";
import { BOOLS, evaluateBits, pairwise } from "./pairwise";

/** Whether one alone is true. ONNX Xor-7. */
export const xor = pairwise({ kernel: "bitXor", dtypes: BOOLS, evaluate: evaluateBits((a, b) => a ^ b) });

export const xorTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
