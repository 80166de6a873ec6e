import type { Traits } from "../op";
import { unary } from "../unary";

/** e^x. ONNX Exp-13. */
export const exp = unary("exp");

export const expTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
