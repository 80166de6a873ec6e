// Softmax over one axis, by a kernel over the last; its logarithm is in math/log-softmax.ts.

import type { Node } from "../../graph/graph";
import { countOf } from "../../graph/symbols";
import { normalizeAxis } from "../axes";
import { floatType, numberOf, type Op, opError, type Traits } from "../op";
import { type PlainRule, Steps } from "../steps";

/** The axis whose elements share 1, counted from the front. */
export const softmaxAxis = (node: Node, rank: number): number =>
  normalizeAxis(node, numberOf(node, "axis", -1), rank);

/** An op over one axis by a kernel over rows. */
// @__NO_SIDE_EFFECTS__
export function overLastAxis(kernel: "softmax" | "logSoftmax"): Op {
  return {
    attributes: ["axis"],
    infer(node, inputs) {
      const x = floatType(node, inputs, 0);
      softmaxAxis(node, x.shape.length);
      return [x];
    },
    rows: (node, [x]) => x!.axis !== softmaxAxis(node, x!.shape.length),
    lower({ node, inputs, outputs }, c) {
      const [x, y] = [inputs[0]!, outputs[0]!];
      const { shape } = c.type(x);
      if (softmaxAxis(node, shape.length) !== shape.length - 1)
        throw opError(node, "only the last axis has a kernel", {
          expected: "axis −1",
          hint: "Move it there with Transpose, as importOnnx does",
        });
      c.emit(kernel, [c.output(y, x), c.input(x), shape.at(-1)!], countOf(shape.slice(0, -1)));
    },
  };
}

/** e^(x − max) / Σ e^(x − max). ONNX Softmax-13. */
export const softmax = overLastAxis("softmax");

export const softmaxTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  softmax: true,
};

/** The axis and the last one change places before and after. */
export const softmaxPlain: PlainRule = (node, rewrite, types) => {
  const x = node.inputs[0]!;
  const rank = types.get(x)!.shape.length;
  const axis = softmaxAxis(node, rank);
  if (axis === rank - 1) return;
  const perm = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
  const steps = new Steps(rewrite, node);
  const rows = steps.add("Transpose", [x], { perm });
  steps.add("Transpose", [steps.add(node.op, [rows], { axis: -1 }, true)], { perm });
  steps.done();
};
