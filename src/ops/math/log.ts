import type { Traits } from "../op";
import { unary } from "../unary";

/** Natural logarithm. ONNX Log-13. */
export const log = unary("log");

export const logTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
