import type { Traits } from "../op";
import { unary } from "../unary";

/** x for x ≥ 0, alpha · x below. ONNX LeakyRelu-16. */
export const leakyRelu = unary("leakyRelu", [["alpha", 0.01]]);

export const leakyReluTraits: Traits = { codes: "table", homogeneous: () => true, trained: undefined };
