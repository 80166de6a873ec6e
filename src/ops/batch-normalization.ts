import { inputType, type Op, type Traits } from "./op";

/**
 * (x − mean) / √(var + ε) · scale + bias, a channel, and in training mode statistics that move. ONNX BatchNormalization-15. It is folded into
 * its neighbour, or rewritten as arithmetic, before anything is compiled.
 */
export const batchNormalization: Op = {
  inputs: 5,
  attributes: ["epsilon", "momentum", "training_mode"],
  infer: (node, inputs) => [0, 3, 4].slice(0, node.outputs.length).map((i) => inputType(node, inputs, i)),
};

export const batchNormalizationTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
