import type { Traits } from "../op";
import { unary } from "../unary";

/** Square root, NaN below 0. ONNX Sqrt-13. */
export const sqrt = unary("sqrt");

export const sqrtTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
