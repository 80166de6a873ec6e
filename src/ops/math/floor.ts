import { evaluateUnary } from "../known";
import { extend, type Traits } from "../op";
import { unary } from "../unary";

/** The largest whole number not above x. ONNX Floor-13. Dimensions over symbols are whole. */
export const floor = extend(unary("floor"), {
  evaluate: (_, [x]) => evaluateUnary(x, (value) => (typeof value === "string" ? value : Math.floor(value))),
});

export const floorTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
