import type { Traits } from "../op";
import { evaluateBits, INTEGERS, pairwise } from "./pairwise";

/** Bits that both have. ONNX BitwiseAnd-18. */
export const bitwiseAnd = pairwise({
  kernel: "bitAnd",
  dtypes: INTEGERS,
  evaluate: evaluateBits((a, b) => a & b),
});

export const bitwiseAndTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
