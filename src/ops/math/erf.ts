import type { Traits } from "../op";
import { unary } from "../unary";

/** Error function. ONNX Erf-13. */
export const erf = unary("erf");

export const erfTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
