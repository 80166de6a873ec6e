import { subtractDims } from "../graph/symbols";
import { binary } from "./binary";
import type { Traits } from "./op";

/** a − b. ONNX Sub-14. */
export const sub = binary("sub", subtractDims);

export const subTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
