import type { Traits } from "../op";
import { unary } from "../unary";

/** Inverse of hyperbolic sine. ONNX Asinh-22. */
export const asinh = unary("asinh");

export const asinhTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
