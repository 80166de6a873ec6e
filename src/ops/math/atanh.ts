import type { Traits } from "../op";
import { unary } from "../unary";

/** Inverse of hyperbolic tangent. ONNX Atanh-22. */
export const atanh = unary("atanh");

export const atanhTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
