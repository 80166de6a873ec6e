import { extend, floatType, type Traits } from "../op";
import { unary } from "../unary";

/** Whether x is not a number. ONNX IsNaN-20. */
const isNotNumber = extend(unary("isNaN"), {
  infer: (node, inputs) => [{ ...floatType(node, inputs, 0), dtype: "bool" }],
});

export { isNotNumber as isNaN };

export const isNaNTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
