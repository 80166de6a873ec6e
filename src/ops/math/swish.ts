import type { Traits } from "../op";
import { unary } from "../unary";

/** x · σ(alpha · x), which is Silu where alpha is 1. ONNX Swish-24; Ramachandran et al. 2017, arXiv:1710.05941. */
export const swish = unary("swish", [["alpha", 1]]);

export const swishTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
