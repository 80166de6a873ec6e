import type { Traits } from "../op";
import { unary } from "../unary";

/** x · max(0, min(1, x / 6 + 1/2)). ONNX HardSwish-22; Howard et al. 2019, arXiv:1905.02244. */
export const hardSwish = unary("hardSwish");

export const hardSwishTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
