import type { Traits } from "../op";
import { unary } from "../unary";

/** ln(1 + e^x). ONNX Softplus-22; Dugas et al. 2001. */
export const softplus = unary("softplus");

export const softplusTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
