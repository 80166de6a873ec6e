// Not: 1 where x is 0. Only folded.

import { evaluateUnary } from "../known";
import { inputType, type Op, type Traits } from "../op";

export const not: Op = {
  infer: (node, inputs) => [inputType(node, inputs, 0)],
  evaluate: (_, [x]) => evaluateUnary(x, (value) => (value === 0 ? 1 : 0)),
};

export const notTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
