// Ceil: the smallest integer not below x. Only folded; dimensions over symbols are integers already.

import { evaluateUnary } from "../known";
import { inputType, type Op, type Traits } from "../op";

export const ceil: Op = {
  infer: (node, inputs) => [inputType(node, inputs, 0)],
  evaluate: (_, [x]) => evaluateUnary(x, (value) => (typeof value === "string" ? value : Math.ceil(value))),
};

export const ceilTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
