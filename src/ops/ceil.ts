// Ceil: the smallest integer not below x. Only folded; dimensions over symbols are integers already.

import { evaluateUnary } from "./known";
import { inputType, type ModelOp } from "./op";

export const ceil: ModelOp = {
  codes: "none",
  infer: (node, inputs) => [inputType(node, inputs, 0)],
  evaluate: (_, [x]) => evaluateUnary(x, (value) => (typeof value === "string" ? value : Math.ceil(value))),
};
