import { numberOf } from "./op";
import { unary } from "./unary";

/** max(0, min(1, alpha · x + beta)). ONNX HardSigmoid-22. */
export const hardSigmoid = unary("hardSigmoid", (node) => [
  numberOf(node, "alpha", 0.2),
  numberOf(node, "beta", 0.5),
]);
