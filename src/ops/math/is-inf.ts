import { extend, floatType, type Traits } from "../op";
import { unary } from "../unary";

const rule = unary("isInf", [
  ["detect_negative", 1],
  ["detect_positive", 1],
]);

/** Whether x is −∞, where that is looked for, or ∞, where that is. ONNX IsInf-20. */
export const isInf = extend(rule, {
  infer: (node, inputs) => [{ ...floatType(node, inputs, 0), dtype: "bool" }],
});

export const isInfTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
