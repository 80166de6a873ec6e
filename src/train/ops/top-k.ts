// TopKGradient: (dy, indices) → dx of attribute `shape`, by the attributes of the TopK.

import { countOf } from "../../graph/symbols";
import { dimsOf, missing, normalizeAxis } from "../../ops/axes";
import { numberOf, type Op } from "../../ops/op";

export const topKGradient: Op = {
  infer(node) {
    const shape = dimsOf(node, "shape");
    if (!shape) throw missing(node, "shape");
    return [{ dtype: "f32", shape }];
  },
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const [dy, indices] = inputs as [string, string];
    const { shape } = c.type(outputs[0]!);
    const axis = normalizeAxis(node, numberOf(node, "axis", -1), shape.length);
    const sizes = [shape[axis]!, countOf(shape.slice(axis + 1)), c.type(dy).shape[axis]!] as const;
    const args = [c.output(outputs[0]!), c.input(dy), c.input(indices), ...sizes] as const;
    c.emit("topKGradient", args, countOf(shape.slice(0, axis)));
  },
};
