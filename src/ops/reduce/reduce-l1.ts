import type { Traits } from "../op";
import { isKeptBy, reduction } from "./reduction";

/** Σ |x| over axes. ONNX ReduceL1-18. */
export const reduceL1 = reduction({ f32: "reduceAbsoluteSum", i32: "reduceAbsoluteSumInt", changes: true });

export const reduceL1Traits: Traits = {
  codes: "none",
  homogeneous: isKeptBy,
  trained: undefined,
};
