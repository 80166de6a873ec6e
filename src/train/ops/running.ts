// Gradients of running products.

import { countOf, formatShape } from "../../graph/symbols";
import { floatType, numberOf, type Op, opError } from "../../ops/op";
import { axisOf } from "../../ops/sequence/cum-sum";

/** (dy, x, products of the elements before each) → dx */
export const cumProdGradient: Op = {
  infer(node, inputs) {
    const [dy, x, before] = [0, 1, 2].map((i) => floatType(node, inputs, i)) as [
      ReturnType<typeof floatType>,
      ReturnType<typeof floatType>,
      ReturnType<typeof floatType>,
    ];
    const expected = formatShape(x.shape);
    for (const { shape } of [dy, before])
      if (formatShape(shape) !== expected)
        throw opError(node, "its inputs are not of one shape", { expected, got: formatShape(shape) });
    return [x];
  },
  rows: (node, [, x]) => x!.axis !== axisOf(node, x!.shape.length),
  lower({ node, inputs, outputs }, c) {
    const [dy, x, before] = inputs as [string, string, string];
    const { shape } = c.type(x);
    const axis = axisOf(node, shape.length);
    const places = [c.output(outputs[0]!), c.input(dy), c.input(x), c.input(before)] as const;
    const sizes = [shape[axis]!, countOf(shape.slice(axis + 1))] as const;
    const flags = [numberOf(node, "exclusive", 0), numberOf(node, "reverse", 0)] as const;
    c.emit("cumProdGradient", [...places, ...sizes, ...flags], countOf(shape.slice(0, axis)));
  },
};
