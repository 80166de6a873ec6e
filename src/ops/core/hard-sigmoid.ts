import type { Traits } from "../op";
import { unary } from "../unary";

/** max(0, min(1, alpha · x + beta)). ONNX HardSigmoid-22. */
export const hardSigmoid = unary("hardSigmoid", [
  ["alpha", 0.2],
  ["beta", 0.5],
]);

export const hardSigmoidTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
