import type { Traits } from "../op";
import { unary } from "../unary";

/** Inverse of sine. ONNX Asin-22. */
export const asin = unary("asin");

export const asinTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
