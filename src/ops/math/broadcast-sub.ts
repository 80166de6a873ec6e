import { subKnown } from "../core/sub";
import type { Traits } from "../op";
import { NUMBERS, pairwise, plainArithmetic } from "./pairwise";

/** a − b: of every dtype, broadcast in every way. What Sub has no kernel for becomes it. */
export const broadcastSub = pairwise({ kernel: "broadcastSub", dtypes: NUMBERS });

export const broadcastSubTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  onnx: false,
  evaluate: subKnown,
};

export const subPlain = plainArithmetic;
