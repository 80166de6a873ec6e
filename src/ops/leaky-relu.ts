import { numberOf } from "./op";
import { unary } from "./unary";

/** x for x ≥ 0, alpha · x below. ONNX LeakyRelu-16. */
export const leakyRelu = unary("leakyRelu", (node) => [numberOf(node, "alpha", 0.01)]);
