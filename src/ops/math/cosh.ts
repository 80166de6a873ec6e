import type { Traits } from "../op";
import { unary } from "../unary";

/** Hyperbolic cosine. ONNX Cosh-22. */
export const cosh = unary("cosh");

export const coshTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
