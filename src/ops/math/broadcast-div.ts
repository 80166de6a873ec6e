import { divKnown } from "../core/div";
import type { Traits } from "../op";
import { NUMBERS, pairwise, plainArithmetic } from "./pairwise";

/** a / b, of integers truncated, and 0 where b is 0: of every dtype, broadcast in every way. What Div has no kernel for becomes it. */
export const broadcastDiv = pairwise({ kernel: "broadcastDiv", dtypes: NUMBERS });

export const broadcastDivTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  onnx: false,
  evaluate: divKnown,
};

export const divPlain = plainArithmetic;
