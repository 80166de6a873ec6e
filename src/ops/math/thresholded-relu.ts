import type { Traits } from "../op";
import { unary } from "../unary";

/** x where x > alpha, else 0. ONNX ThresholdedRelu-22; Konda et al. 2014, arXiv:1402.3337. */
export const thresholdedRelu = unary("thresholdedRelu", [["alpha", 1]]);

export const thresholdedReluTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
