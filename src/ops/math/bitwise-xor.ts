import type { Traits } from "../op";
import { evaluateBits, INTEGERS, pairwise } from "./pairwise";

/** Bits that one alone has. ONNX BitwiseXor-18. */
export const bitwiseXor = pairwise({
  kernel: "bitXor",
  dtypes: INTEGERS,
  evaluate: evaluateBits((a, b) => a ^ b),
});

export const bitwiseXorTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
