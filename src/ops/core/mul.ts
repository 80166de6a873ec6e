import { multiplyDims } from "../../graph/symbols";
import { binary, ofKnown } from "../binary";
import type { Traits } from "../op";

/** a · b. ONNX Mul-14. */
export const mul = binary("mul");

/** What it is of known values. */
export const mulKnown = /* @__PURE__ */ ofKnown("mul", multiplyDims);

export const mulTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  evaluate: mulKnown,
};
