// Gradients of softmax and of its logarithm over the last axis, from what they made.

import { countOf, formatShape } from "../../graph/symbols";
import { floatType, type Op, opError } from "../../ops/op";

function overLastAxis(kernel: "softmaxGradient" | "logSoftmaxGradient"): Op {
  return {
    infer(node, inputs) {
      const [dy, y] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
      if (formatShape(dy.shape) !== formatShape(y.shape))
        throw opError(node, "a gradient has the shape of what it is of", {
          expected: formatShape(y.shape),
          got: formatShape(dy.shape),
        });
      return [dy];
    },
    rows: (_, [, y]) => y!.axis < y!.shape.length - 1,
    lower({ inputs, outputs }, c) {
      const [dy, y] = inputs as [string, string];
      const { shape } = c.type(y);
      const operands = [c.output(outputs[0]!, dy), c.input(dy), c.input(y)] as const;
      c.emit(kernel, [...operands, shape.at(-1)!], countOf(shape.slice(0, -1)));
    },
  };
}

export const softmaxGradient = overLastAxis("softmaxGradient");
export const logSoftmaxGradient = overLastAxis("logSoftmaxGradient");
