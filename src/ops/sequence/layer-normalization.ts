import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, formatShape, type Shape } from "../../graph/symbols";
import { normalizeAxis } from "../axes";
import { isWithin } from "../broadcast";
import { sameShape } from "../core/reshape";
import { floatType, NONE, numberOf, type Op, opError, type Traits } from "../op";
import { type PlainRule, Steps } from "../steps";

/** Rows that are normalized each by itself, and the elements of one: those of the axes from `axis` on. */
export function rowsOf(node: Node, shape: Shape): { axis: number; rows: Dim; cols: Dim } {
  const axis = normalizeAxis(node, numberOf(node, "axis", -1), shape.length);
  return { axis, rows: countOf(shape.slice(0, axis)), cols: countOf(shape.slice(axis)) };
}

/** Whether a shape is one number an element of the axes from `axis` on, also as a vector. */
export function isRowOf(shape: Shape, x: Shape, axis: number): boolean {
  const [own, row] = [shape, x.slice(axis)].map((dims) => dims.slice(dims.findIndex((dim) => dim !== 1)));
  return sameShape(own!, row!) || (shape.length === 1 && shape[0] === countOf(row!));
}

/** (x − mean) / √(variance + epsilon) · scale + bias over the last axes; then mean and 1 / √…. ONNX LayerNormalization-17. */
export const layerNormalization: Op = {
  inputs: 3,
  attributes: ["axis", "epsilon"],
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    const { axis } = rowsOf(node, x.shape);
    for (const i of inputs[2] ? [1, 2] : [1]) {
      const { shape } = floatType(node, inputs, i);
      if (!isRowOf(shape, x.shape, axis) && !isWithin(shape, x.shape))
        throw opError(node, `input ${i} does not fit`, {
          expected: `one number an element of ${formatShape(x.shape.slice(axis))}, or what broadcasts to the input`,
          got: formatShape(shape),
        });
    }
    const moments: ValueType = { dtype: "f32", shape: x.shape.map((dim, i) => (i < axis ? dim : 1)) };
    return [x, moments, moments].slice(0, node.outputs.length);
  },
  rows: (node, [x]) => x!.axis < rowsOf(node, x!.shape).axis,
  lower({ node, inputs, outputs }, c) {
    const [x, scale, bias = ""] = inputs as [string, string, string?];
    const { shape } = c.type(x);
    const { axis, rows, cols } = rowsOf(node, shape);
    for (const operand of bias === "" ? [scale] : [scale, bias])
      if (!isRowOf(c.type(operand).shape, shape, axis))
        throw opError(node, "a scale or bias that is broadcast has no kernel", {
          got: formatShape(c.type(operand).shape),
          hint: "Write it as Mul and Add, as importOnnx does",
        });
    const [y, mean = "", inverse = ""] = outputs as [string, string?, string?];
    const optional = (output: string) => (output === "" ? NONE : c.output(output));
    const places = [c.output(y, x), optional(mean), optional(inverse)] as const;
    const operands = [c.input(x), c.input(scale), bias === "" ? NONE : c.input(bias)] as const;
    c.emit("layerNormalization", [...places, ...operands, cols, numberOf(node, "epsilon", 1e-5)], rows);
  },
};

/** A vector has a number for each element of the last axis, where there is no other. */
export const equalToScale: NonNullable<Traits["equal"]> = (node, [x, scale]) =>
  rowsOf(node, x!).axis === x!.length - 1 && scale!.length === 1 && scale![0] !== 1
    ? [[x!.at(-1), scale![0]]]
    : [];

export const layerNormalizationTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: { weight: 1, bias: 2 },
  normalizesRows: true,
  equal: equalToScale,
};

/** Scale and bias that are not one number for each normalized element are applied after it. */
export const layerNormalizationPlain: PlainRule = (node, rewrite, types) => {
  const [x, scale, bias = ""] = node.inputs as [string, string, string?];
  const { shape } = types.get(x)!;
  const { axis, cols } = rowsOf(node, shape);
  const fits = [scale, bias].every((name) => name === "" || isRowOf(types.get(name)!.shape, shape, axis));
  if (fits || typeof cols !== "number") return;
  const steps = new Steps(rewrite, node);
  const ones = rewrite.holdRepeated(`${node.name}_ones`, 1, cols);
  const y = steps.add(node.op, [x, ones], node.attributes, true);
  const product = steps.add("Mul", [y, scale]);
  if (bias !== "") steps.add("Add", [product, bias]);
  steps.done();
};
