import type { Traits } from "../op";
import { unary } from "../unary";

/** 1 / x. ONNX Reciprocal-13. */
export const reciprocal = unary("reciprocal");

export const reciprocalTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
