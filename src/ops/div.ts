import { binary, quotient } from "./binary";
import type { Traits } from "./op";

/** a / b. ONNX Div-14. */
export const div = binary("div", quotient);

export const divTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
