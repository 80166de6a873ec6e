import { mulKnown } from "../core/mul";
import type { Traits } from "../op";
import { NUMBERS, pairwise, plainArithmetic } from "./pairwise";

/** a · b: of every dtype, broadcast in every way. What Mul has no kernel for becomes it. */
export const broadcastMul = pairwise({ kernel: "broadcastMul", dtypes: NUMBERS });

export const broadcastMulTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  onnx: false,
  evaluate: mulKnown,
};

export const mulPlain = plainArithmetic;
