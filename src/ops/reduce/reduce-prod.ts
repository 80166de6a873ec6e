import { multiplyDims } from "../../graph/symbols";
import type { Traits } from "../op";
import { foldKnown } from "./known";
import { reduction } from "./reduction";

/** Product over axes. ONNX ReduceProd-18. */
export const reduceProd = reduction({
  f32: "reduceProduct",
  i32: "reduceProductInt",
  evaluate: foldKnown(1, multiplyDims),
});

export const reduceProdTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
