// Fully connected layer, y = x·Wᵀ + b over the last dimension, with constant weights, which are packed when the model is loaded.

import { countOf, type Dim, formatShape, type Shape } from "../../graph/symbols";
import { allocate, sizeOf } from "../../graph/tensor";
import { layerOperands, lowerDense, lowerDenseInt8, type WeightView } from "../dense";
import { mayEqual, needEqual } from "../equal";
import { flatChannels } from "../layout";
import {
  type Content,
  elementsOf,
  floatType,
  type Layout,
  type Lowering,
  type NamedConstant,
  type Op,
  opError,
  type Traits,
  type Unit,
} from "../op";

/** Flattened images are read as they lie: their weights are permuted when packed. */
const layout: NonNullable<Op["layout"]> = (node, [x = "plain"], [type]) => {
  const usable: Layout = flatChannels(x) !== undefined && type!.shape.length === 2 ? x : "plain";
  return { inputs: node.inputs.map((_, i) => (i === 0 ? usable : "plain")), outputs: ["plain"] };
};

/** Weights [n, k], with k in the order the input has it in memory. */
export function denseView([n, k]: readonly [number, number], x: Layout): WeightView {
  const channels = flatChannels(x) ?? k;
  const taps = k / channels;
  return { n, taps, channels, strideN: k, strideTap: 1, strideC: taps };
}

/** The product that a layer is, without where its result goes, and its bias. */
export function linearOf(unit: Unit, c: Lowering) {
  const { x, weights, bias } = layerOperands(unit, c);
  const view = denseView(weights.shape as [number, number], c.layout(x));
  const k = view.taps * view.channels;
  const { shape } = c.type(x);
  needEqual(c, shape.at(-1)!, k);
  const rows = countOf(shape.slice(0, -1));
  const dense = { unit, x: c.input(x), ldx: k, ldy: view.n, rows, weights, view };
  return { dense, bias: bias && repeated(bias, view.n) };
}

/** Whether a bias is one number a column, or one in all. */
export const isOneRow = (shape: Shape, columns: Dim): boolean =>
  shape.slice(0, -1).every((dim) => dim === 1) && [1, columns].includes(shape.at(-1) ?? 1);

/** A bias of one number is that of every column. */
function repeated(bias: NamedConstant, n: number): Content {
  return sizeOf(bias.shape) === n ? bias : allocate(bias.dtype, n).fill(elementsOf(bias)[0]!);
}

/** x [..., k], w [n, k], b [n] or one number: y [..., n]. A Gemm or MatMul whose weights are known becomes one. */
export const linear: Op = {
  inputs: 3,
  infer(node, inputs) {
    const [x, w] = [floatType(node, inputs, 0).shape, floatType(node, inputs, 1).shape];
    const [n, k] = w;
    if (x.length === 0 || w.length !== 2 || !mayEqual(x.at(-1)!, k!))
      throw opError(node, "inner sizes differ", {
        expected: "[..., k] and weights [n, k]",
        got: `${formatShape(x)} and ${formatShape(w)}`,
      });
    const b = inputs[2] && floatType(node, inputs, 2).shape;
    if (b && !isOneRow(b, n!))
      throw opError(node, "the bias must be one row", { expected: `[${n}]`, got: formatShape(b) });
    return [{ dtype: "f32", shape: [...x.slice(0, -1), n!] }];
  },
  rows: true,
  layout,
  fusesClamp: "always",
  lower(unit, c) {
    const { dense, bias } = linearOf(unit, c);
    lowerDense(c, { ...dense, y: c.output(unit.outputs[0]!) }, bias);
  },
  lowerInteger(unit, c) {
    const { dense, bias } = linearOf(unit, c);
    lowerDenseInt8(c, { ...dense, y: c.output(unit.outputs[0]!) }, bias);
  },
};

export const linearTraits: Traits = {
  codes: "layer",
  channels: "last",
  homogeneous: undefined,
  trained: { weight: 1, bias: 2 },
  onnx: false,
};
