import type { Traits } from "../op";
import { unary } from "../unary";

/** 1 / (1 + e^−x). ONNX Sigmoid-13. */
export const sigmoid = unary("sigmoid");

export const sigmoidTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
