import type { Traits } from "../op";
import { unary } from "../unary";

/** Inverse of cosine. ONNX Acos-22. */
export const acos = unary("acos");

export const acosTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
