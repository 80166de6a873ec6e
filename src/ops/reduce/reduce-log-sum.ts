import type { Traits } from "../op";
import { reduction } from "./reduction";

/** ln Σ x over axes. ONNX ReduceLogSum-18. */
export const reduceLogSum = reduction({ f32: "reduceSum", finish: "logOfSums", changes: true });

export const reduceLogSumTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
