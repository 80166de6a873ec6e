import type { Traits } from "../op";
import { isKeptBy, reduction, sums } from "./reduction";

/** √Σ x² over axes; of i32 towards 0. ONNX ReduceL2-18. */
export const reduceL2 = reduction({
  f32: "reduceSquareSum",
  further: sums,
  finish: "rootOfSums",
  wide: { fold: "reduceSquareSumWide", finish: "rootOfSumsWide" },
  changes: true,
});

export const reduceL2Traits: Traits = {
  codes: "none",
  homogeneous: isKeptBy,
  trained: undefined,
};
