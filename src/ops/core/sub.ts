import { subtractDims } from "../../graph/symbols";
import { binary, ofKnown } from "../binary";
import type { Traits } from "../op";

/** a − b. ONNX Sub-14. */
export const sub = binary("sub");

/** What it is of known values. */
export const subKnown = /* @__PURE__ */ ofKnown("sub", subtractDims);

export const subTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  evaluate: subKnown,
};
