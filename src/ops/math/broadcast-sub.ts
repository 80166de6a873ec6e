import type { Traits } from "../op";
import { sub } from "../sub";
import { NUMBERS, pairwise, plainArithmetic } from "./pairwise";

/** a − b: of every dtype, broadcast in every way. What Sub has no kernel for becomes it. */
export const broadcastSub = pairwise({ kernel: "broadcastSub", dtypes: NUMBERS, evaluate: sub.evaluate! });

export const broadcastSubTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  onnx: false,
};

export const subPlain = plainArithmetic;
