import type { Traits } from "../op";
import { unary } from "../unary";

/** Inverse of tangent. ONNX Atan-22. */
export const atan = unary("atan");

export const atanTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
