import type { Traits } from "../op";
import { isKeptBy, reduction } from "./reduction";

/** The largest over axes. Of no elements −∞, or the least that there is. ONNX ReduceMax-20. */
export const reduceMax = reduction({
  f32: "reduceLargest",
  i32: "reduceLargestInt",
  byte: "reduceLargestByte",
});

export const reduceMaxTraits: Traits = {
  codes: "none",
  homogeneous: isKeptBy,
  trained: undefined,
};
