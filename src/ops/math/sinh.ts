import type { Traits } from "../op";
import { unary } from "../unary";

/** Hyperbolic sine. ONNX Sinh-22. */
export const sinh = unary("sinh");

export const sinhTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
