import type { Traits } from "../op";
import { reduction } from "./reduction";

/** ln Σ e^x over axes. ONNX ReduceLogSumExp-18. */
export const reduceLogSumExp = reduction({ f32: "reduceLogSumExp" });

export const reduceLogSumExpTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
