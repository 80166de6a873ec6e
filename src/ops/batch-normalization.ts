import { inputType, type Op, type Traits } from "./op";

/**
 * (x − mean) / √(var + ε) · scale + bias, a channel. ONNX BatchNormalization-15, inference form. It is folded into its neighbour, or
 * rewritten as Mul and Add, before anything is compiled.
 */
export const batchNormalization: Op = {
  inputs: 5,
  attributes: ["epsilon"],
  infer: (node, inputs) => [inputType(node, inputs, 0)],
};

export const batchNormalizationTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
