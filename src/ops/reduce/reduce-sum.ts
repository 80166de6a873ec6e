import { addDims } from "../../graph/symbols";
import type { Traits } from "../op";
import { foldKnown } from "./known";
import { isKeptBy, reduction } from "./reduction";

/** Sum over axes. ONNX ReduceSum-13. */
export const reduceSum = reduction({
  f32: "reduceSum",
  i32: "reduceSumInt",
  evaluate: foldKnown(0, addDims),
});

export const reduceSumTraits: Traits = {
  codes: "none",
  homogeneous: isKeptBy,
  trained: undefined,
};
