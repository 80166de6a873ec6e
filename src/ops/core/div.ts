import { binary, ofKnown, quotient } from "../binary";
import type { Traits } from "../op";

/** a / b. ONNX Div-14. */
export const div = binary("div");

/** What it is of known values. */
export const divKnown = /* @__PURE__ */ ofKnown("div", quotient);

export const divTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  evaluate: divKnown,
};
