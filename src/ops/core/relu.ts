import { extend, inputType, type Traits } from "../op";
import { type PlainRule, Steps } from "../steps";
import { unary } from "../unary";

/** max(x, 0). ONNX Relu-14. */
export const relu = extend(unary("clip", [0, Infinity]), {
  infer: (node, inputs) => [inputType(node, inputs, 0)],
  clamp: () => ({ lo: 0, hi: Infinity }),
});

export const reluTraits: Traits = { codes: "table", homogeneous: () => true, trained: undefined };

/** max(x, 0) of integers. */
export const reluPlain: PlainRule = (node, rewrite, types) => {
  const { dtype } = types.get(node.outputs[0]!)!;
  if (dtype === "f32") return;
  const steps = new Steps(rewrite, node);
  steps.add("Max", [node.inputs[0]!, steps.filled(dtype, 0)], {}, true);
  steps.done();
};
