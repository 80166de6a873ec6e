import { rne } from "../codes";
import { evaluateUnary } from "../known";
import { extend, type Traits } from "../op";
import { unary } from "../unary";

/** The nearest whole number, the even one of two. ONNX Round-22. */
export const round = extend(unary("round"), {
  evaluate: (_, [x]) => evaluateUnary(x, (value) => (typeof value === "string" ? value : rne(value))),
});

export const roundTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
