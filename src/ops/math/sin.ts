import type { Traits } from "../op";
import { unary } from "../unary";

/** Sine. ONNX Sin-22. */
export const sin = unary("sin");

export const sinTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
