// GatherGradient: every slice of dx, of attribute `shape`, is the sum over where the indices picked it.

import { countOf, formatShape, multiplyDims } from "../../graph/symbols";
import { dimsOf, missing, normalizeAxis } from "../../ops/axes";
import { gather } from "../../ops/moves/gather";
import { floatType, inputType, numberOf, type Op, opError } from "../../ops/op";

/** (dy, indices) → dx */
export const gatherGradient: Op = {
  infer(node, inputs) {
    const dy = floatType(node, inputs, 0);
    const shape = dimsOf(node, "shape");
    if (!shape) throw missing(node, "shape");
    const dx = { dtype: "f32", shape } as const;
    const expected = formatShape(gather.infer(node, [dx, inputType(node, inputs, 1)])[0]!.shape);
    if (formatShape(dy.shape) !== expected)
      throw opError(node, "its input is not of this Gather", { expected, got: formatShape(dy.shape) });
    return [dx];
  },
  rows: (node, _, [dx]) => dx!.axis !== normalizeAxis(node, numberOf(node, "axis", 0), dx!.shape.length),
  sums: true,
  lower({ node, inputs, outputs }, c) {
    const { shape } = c.type(outputs[0]!);
    const axis = normalizeAxis(node, numberOf(node, "axis", 0), shape.length);
    const operands = [c.output(outputs[0]!), c.input(inputs[0]!), c.input(inputs[1]!)] as const;
    const sizes = [shape[axis]!, countOf(c.type(inputs[1]!).shape), countOf(shape.slice(axis + 1))] as const;
    const rows = multiplyDims(countOf(shape.slice(0, axis)), shape[axis]!);
    c.emit("gatherGradient", [...operands, ...sizes], rows);
  },
};
