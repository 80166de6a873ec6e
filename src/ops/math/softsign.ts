import type { Traits } from "../op";
import { unary } from "../unary";

/** x / (1 + |x|). ONNX Softsign-22. */
export const softsign = unary("softsign");

export const softsignTraits: Traits = { codes: "table", homogeneous: undefined, trained: undefined };
