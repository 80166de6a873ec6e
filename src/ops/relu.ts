import { extend, inputType, type Traits } from "./op";
import { unary } from "./unary";

/** max(x, 0). ONNX Relu-14. */
export const relu = extend(unary("clip", [0, Infinity]), {
  infer: (node, inputs) => [inputType(node, inputs, 0)],
  clamp: () => ({ lo: 0, hi: Infinity }),
});

export const reluTraits: Traits = { codes: "table", homogeneous: () => true, trained: undefined };
