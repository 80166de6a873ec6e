import type { Traits } from "../op";
import { unary } from "../unary";

/** Inverse of hyperbolic cosine. ONNX Acosh-22. */
export const acosh = unary("acosh");

export const acoshTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
