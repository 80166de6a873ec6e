import type { Traits } from "../op";
import { unary } from "../unary";

/** Tangent. ONNX Tan-22. */
export const tan = unary("tan");

export const tanTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
