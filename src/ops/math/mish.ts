import type { Traits } from "../op";
import { unary } from "../unary";

/** x · tanh(ln(1 + e^x)). ONNX Mish-22; Misra 2019, arXiv:1908.08681. */
export const mish = unary("mish");

export const mishTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
