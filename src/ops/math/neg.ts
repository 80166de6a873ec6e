import type { Traits } from "../op";
import { unary } from "../unary";

/** −x. ONNX Neg-13. */
export const neg = unary("neg");

export const negTraits: Traits = { codes: "none", homogeneous: () => true, trained: undefined };
