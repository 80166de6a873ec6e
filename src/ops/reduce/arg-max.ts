import type { Node } from "../../graph/graph";
import { countOf, type Shape } from "../../graph/symbols";
import { normalizeAxis } from "../axes";
import { floatType, numberOf, type Op, type Traits } from "../op";

const axisOf = (node: Node, shape: Shape) => normalizeAxis(node, numberOf(node, "axis", 0), shape.length);

/** Where the largest element along `axis` is, i32. ONNX ArgMax-13. */
export const argMax: Op = {
  attributes: ["axis", "keepdims", "select_last_index"],
  infer(node, inputs) {
    const { shape } = floatType(node, inputs, 0);
    const axis = axisOf(node, shape);
    const kept = numberOf(node, "keepdims", 1) === 1 ? [1] : [];
    return [{ dtype: "i32", shape: [...shape.slice(0, axis), ...kept, ...shape.slice(axis + 1)] }];
  },
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const [x, y] = [inputs[0]!, outputs[0]!];
    const { shape } = c.type(x);
    const axis = axisOf(node, shape);
    const inner = countOf(shape.slice(axis + 1));
    const last = numberOf(node, "select_last_index", 0);
    c.needs(shape[axis]!, y);
    c.emit("argMax", [c.output(y), c.input(x), shape[axis]!, inner, last], countOf(shape.slice(0, axis)));
  },
};

export const argMaxTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
