// ReduceMeanGradient: a mean's gradient in equal shares, to dx of attribute `shape`; otherwise the attributes of the mean.

import { countOf, formatShape } from "../../graph/symbols";
import { dimsOf, missing } from "../../ops/axes";
import { reducedAxes, reduceMean } from "../../ops/math/reduce-mean";
import { floatType, type Op, opError } from "../../ops/op";

export const reduceMeanGradient: Op = {
  infer(node, inputs) {
    const dy = floatType(node, inputs, 0);
    const shape = dimsOf(node, "shape");
    if (!shape) throw missing(node, "shape");
    const expected = formatShape(reduceMean.infer(node, [{ dtype: "f32", shape }])[0]!.shape);
    if (formatShape(dy.shape) !== expected)
      throw opError(node, "its input is not of this mean", { expected, got: formatShape(dy.shape) });
    return [{ dtype: "f32", shape }];
  },
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const [dy, dx] = [inputs[0]!, outputs[0]!];
    const { shape } = c.type(dx);
    const axes = reducedAxes(node, shape.length);
    if (axes.length === 0) return c.alias(dx, dy);
    const [first, behind] = [axes[0]!, axes.at(-1)! + 1];
    const args = [countOf(shape.slice(first, behind)), countOf(shape.slice(behind))] as const;
    c.emit("reduceMeanGradient", [c.output(dx), c.input(dy), ...args], countOf(shape.slice(0, first)));
  },
};
