import type { Traits } from "../op";
import { unary } from "../unary";

/** x · σ(x). Elfwing et al. 2017, arXiv:1702.03118; what exporters write as Sigmoid and Mul. */
export const silu = unary("silu");

export const siluTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined, onnx: false };
