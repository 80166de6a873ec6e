// Gradients of determinants.

import { countOf, formatShape } from "../../graph/symbols";
import { floatType, type Op, opError } from "../../ops/op";

/** (dy, x) → dx */
export const detGradient: Op = {
  infer(node, inputs) {
    const [dy, x] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    const expected = formatShape(x.shape.slice(0, -2));
    if (formatShape(dy.shape) !== expected)
      throw opError(node, "its input is not of these matrices", { expected, got: formatShape(dy.shape) });
    return [x];
  },
  rows: (_, [, x]) => x!.axis < x!.shape.length - 2,
  lower({ inputs, outputs }, c) {
    const [dy, x] = inputs as [string, string];
    const { shape } = c.type(x);
    const n = shape.at(-1) as number;
    const places = [c.output(outputs[0]!), c.input(dy), c.input(x), c.scratch(4 * n * n)] as const;
    c.emit("detGradient", [...places, n], countOf(shape.slice(0, -2)));
  },
};
