import type { Traits } from "../op";
import { unary } from "../unary";

/** Cosine. ONNX Cos-22. */
export const cos = unary("cos");

export const cosTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
