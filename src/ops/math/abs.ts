import type { Traits } from "../op";
import { unary } from "../unary";

/** |x|. ONNX Abs-13. */
export const abs = unary("abs");

export const absTraits: Traits = { codes: "none", homogeneous: () => true, trained: undefined };
