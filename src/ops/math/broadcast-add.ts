import { addKnown } from "../core/add";
import type { Traits } from "../op";
import { NUMBERS, pairwise, plainArithmetic } from "./pairwise";

/** a + b: of every dtype, broadcast in every way. What Add has no kernel for becomes it. */
export const broadcastAdd = pairwise({ kernel: "broadcastAdd", dtypes: NUMBERS });

export const broadcastAddTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  onnx: false,
  evaluate: addKnown,
};

export const addPlain = plainArithmetic;
