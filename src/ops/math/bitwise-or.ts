import type { Traits } from "../op";
import { evaluateBits, INTEGERS, pairwise } from "./pairwise";

/** Bits that one has. ONNX BitwiseOr-18. */
export const bitwiseOr = pairwise({
  kernel: "bitOr",
  dtypes: INTEGERS,
  evaluate: evaluateBits((a, b) => a | b),
});

export const bitwiseOrTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
