import type { Traits } from "../op";
import { reduction, sums } from "./reduction";

/** Σ x² over axes. ONNX ReduceSumSquare-18. */
export const reduceSumSquare = reduction({
  f32: "reduceSquareSum",
  i32: "reduceSquareSumInt",
  further: sums,
  changes: true,
});

export const reduceSumSquareTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
