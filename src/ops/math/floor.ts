// Floor: the largest integer not above x. Only folded; dimensions over symbols are integers already.

import { evaluateUnary } from "../known";
import { inputType, type Op, type Traits } from "../op";

export const floor: Op = {
  infer: (node, inputs) => [inputType(node, inputs, 0)],
  evaluate: (_, [x]) => evaluateUnary(x, (value) => (typeof value === "string" ? value : Math.floor(value))),
};

export const floorTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
