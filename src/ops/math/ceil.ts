import { evaluateUnary } from "../known";
import { extend, type Traits } from "../op";
import { unary } from "../unary";

/** The smallest whole number not below x. ONNX Ceil-13. Dimensions over symbols are whole. */
export const ceil = extend(unary("ceil"), {
  evaluate: (_, [x]) => evaluateUnary(x, (value) => (typeof value === "string" ? value : Math.ceil(value))),
});

export const ceilTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
