// Not: 1 where x is 0. Only folded.

import { evaluateUnary } from "./known";
import { inputType, type ModelOp } from "./op";

export const not: ModelOp = {
  codes: "none",
  infer: (node, inputs) => [inputType(node, inputs, 0)],
  evaluate: (_, [x]) => evaluateUnary(x, (value) => (value === 0 ? 1 : 0)),
};
