// Softmax and its logarithm over the last axis.

import { countOf } from "../graph/symbols";
import { normalizeAxis } from "./axes";
import { floatType, numberOf, type Op, opError } from "./op";

// @__NO_SIDE_EFFECTS__
function overLastAxis(kernel: "softmax" | "logSoftmax"): Op {
  return {
    attributes: ["axis"],
    infer(node, inputs) {
      const x = floatType(node, inputs, 0);
      const axis = numberOf(node, "axis", -1);
      if (normalizeAxis(node, axis, x.shape.length) !== x.shape.length - 1)
        throw opError(node, "only the last axis is supported", {
          expected: `axis −1 or ${x.shape.length - 1}`,
          got: `${axis}`,
          hint: "Transpose before and after",
        });
      return [x];
    },
    rows: (_, [x]) => x!.axis < x!.shape.length - 1,
    lower({ inputs, outputs }, c) {
      const [x, y] = [inputs[0]!, outputs[0]!];
      const { shape } = c.type(x);
      c.emit(kernel, [c.output(y, x), c.input(x), shape.at(-1)!], countOf(shape.slice(0, -1)));
    },
  };
}

/** e^(x − max) / Σ e^(x − max). ONNX Softmax-13. */
export const softmax = overLastAxis("softmax");
/** x − max − log Σ e^(x − max). ONNX LogSoftmax-13. */
export const logSoftmax = overLastAxis("logSoftmax");
