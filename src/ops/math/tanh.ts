import type { Traits } from "../op";
import { unary } from "../unary";

/** Hyperbolic tangent. ONNX Tanh-13. */
export const tanh = unary("tanh");

export const tanhTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
