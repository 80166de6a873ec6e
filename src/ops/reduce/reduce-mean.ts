import type { Traits } from "../op";
import { isKeptBy, reduction } from "./reduction";

/** Mean over axes; of i32 towards 0. ONNX ReduceMean-18. */
export const reduceMean = reduction({
  f32: "reduceSum",
  i32: "reduceSumInt",
  finish: "divideSums",
  needsAny: true,
});

export const reduceMeanTraits: Traits = {
  codes: "none",
  homogeneous: isKeptBy,
  trained: undefined,
};
