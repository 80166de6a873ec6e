import type { Node, ValueType } from "../graph/graph";
import { countOf, type Dim, formatShape, type Shape } from "../graph/symbols";
import { normalizeAxis } from "./axes";
import { floatType, NONE, numberOf, type Op, opError } from "./op";

/** Rows that are normalized each by itself, and the elements of one: those of the axes from `axis` on. */
export function rowsOf(node: Node, shape: Shape): { axis: number; rows: Dim; cols: Dim } {
  const axis = normalizeAxis(node, numberOf(node, "axis", -1), shape.length);
  return { axis, rows: countOf(shape.slice(0, axis)), cols: countOf(shape.slice(axis)) };
}

/** (x − mean) / √(variance + epsilon) · scale + bias over the last axes; then mean and 1 / √…. ONNX LayerNormalization-17. */
export const layerNormalization: Op = {
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    const { axis, cols } = rowsOf(node, x.shape);
    for (const i of inputs[2] ? [1, 2] : [1]) {
      const { shape } = floatType(node, inputs, i);
      if (countOf(shape) !== cols)
        throw opError(node, `input ${i} does not fit`, {
          expected: `one number an element of ${formatShape(x.shape.slice(axis))}`,
          got: formatShape(shape),
        });
    }
    const moments: ValueType = { dtype: "f32", shape: x.shape.map((dim, i) => (i < axis ? dim : 1)) };
    return [x, moments, moments].slice(0, node.outputs.length);
  },
  rows: (node, [x]) => x!.axis < rowsOf(node, x!.shape).axis,
  lower({ node, inputs, outputs }, c) {
    const [x, scale, bias = ""] = inputs as [string, string, string?];
    const { rows, cols } = rowsOf(node, c.type(x).shape);
    const [y, mean = "", inverse = ""] = outputs as [string, string?, string?];
    const optional = (output: string) => (output === "" ? NONE : c.output(output));
    const places = [c.output(y, x), optional(mean), optional(inverse)] as const;
    const operands = [c.input(x), c.input(scale), bias === "" ? NONE : c.input(bias)] as const;
    c.emit("layerNormalization", [...places, ...operands, cols, numberOf(node, "epsilon", 1e-5)], rows);
  },
};
