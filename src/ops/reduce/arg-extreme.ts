// Where the largest or the least element along an axis is.

import type { Node } from "../../graph/graph";
import { countOf, type Shape } from "../../graph/symbols";
import type { DType } from "../../graph/tensor";
import { normalizeAxis } from "../axes";
import { inputType, numberOf, type Op } from "../op";
import { keepsDims } from "./reduction";

const axisOf = (node: Node, shape: Shape) => normalizeAxis(node, numberOf(node, "axis", 0), shape.length);

/** The kernel for elements as they lie in memory, where i8 and bool are bytes. */
const kernelOf = (kernel: "argMax" | "argMin", dtype: DType) => {
  if (dtype === "f32") return kernel;
  return dtype === "i32" ? (`${kernel}Int` as const) : (`${kernel}Byte` as const);
};

// @__NO_SIDE_EFFECTS__
export function argExtreme(kernel: "argMax" | "argMin"): Op {
  return {
    attributes: ["axis", "keepdims", "select_last_index"],
    infer(node, inputs) {
      const { shape } = inputType(node, inputs, 0);
      const axis = axisOf(node, shape);
      const kept = keepsDims(node) ? [1] : [];
      return [{ dtype: "i32", shape: [...shape.slice(0, axis), ...kept, ...shape.slice(axis + 1)] }];
    },
    rows: true,
    lower({ node, inputs, outputs }, c) {
      const [x, y] = [inputs[0]!, outputs[0]!];
      const { dtype, shape } = c.type(x);
      const axis = axisOf(node, shape);
      const [n, inner] = [shape[axis]!, countOf(shape.slice(axis + 1))];
      const last = numberOf(node, "select_last_index", 0);
      c.needs(n, y);
      const args = [c.output(y), c.input(x), n, inner, last] as const;
      c.emit(kernelOf(kernel, dtype), args, countOf(shape.slice(0, axis)));
    },
  };
}
