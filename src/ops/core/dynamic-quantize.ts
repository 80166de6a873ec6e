import type { Node } from "../../graph/graph";
import { countOf, type Dim, type Shape } from "../../graph/symbols";
import { flatChannels } from "../layout";
import { floatType, numberOf, type Op, opError, type Traits } from "../op";

/** Rows that have a range of their own, and the elements of one: those of the last axis, or all there are. */
function rowsOf(node: Node, shape: Shape): { rows: Dim; cols: Dim } {
  if (node.attributes.axis === undefined) return { rows: 1, cols: countOf(shape) };
  return { rows: countOf(shape.slice(0, -1)), cols: shape.at(-1) ?? 1 };
}

/**
 * Codes, scale and zero point found at run time: s = (max(0, hi) − min(0, lo)) / 255, zp = rne(clamp(0 − lo/s, 0, 255)).
 * With `axis` −1 for every row, Octette's own; without for all elements, ONNX DynamicQuantizeLinear-11.
 */
export const dynamicQuantize: Op = {
  attributes: ["axis"],
  infer(node, inputs) {
    const { shape } = floatType(node, inputs, 0);
    const axis = numberOf(node, "axis", -1);
    if (axis !== -1)
      throw opError(node, "only rows of the last axis have ranges", { expected: "-1", got: `${axis}` });
    const rows = node.attributes.axis === undefined ? [] : [...shape.slice(0, -1), 1];
    return [
      { dtype: "u8", shape },
      { dtype: "f32", shape: rows },
      { dtype: "i32", shape: rows },
    ];
  },
  rows: true,
  /** A range does not depend on order, so all elements, or a flattened image, are taken as they lie. */
  layout({ attributes }, [x = "plain"], [type]) {
    const isFlat = flatChannels(x) !== undefined && type!.shape.length === 2;
    const kept = attributes.axis === undefined || isFlat ? x : "plain";
    return { inputs: [kept], outputs: [kept, "plain", "plain"] };
  },
  lower({ node, inputs, outputs }, c) {
    const [codes, scale, zeroPoint] = outputs as [string, string, string];
    const { rows, cols } = rowsOf(node, c.type(inputs[0]!).shape);
    const places = [c.output(codes), c.output(scale), c.output(zeroPoint)] as const;
    c.emit("dynamicQuantize", [...places, c.input(inputs[0]!), cols], rows);
  },
};

export const dynamicQuantizeTraits: Traits = {
  codes: "makes",
  homogeneous: undefined,
  trained: undefined,
  onnx: false,
};
