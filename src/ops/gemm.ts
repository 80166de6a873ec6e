// Fully connected layer: y = x·W + b with constant weights, either way round.

import { type Dim, formatShape, type Shape } from "../graph/symbols";
import { allocate, sizeOf } from "../graph/tensor";
import { isWithin } from "./broadcast";
import { lowerDense, lowerDenseInt8, type WeightView } from "./dense";
import {
  type Content,
  elementsOf,
  floatType,
  type Layout,
  type Lowering,
  type NamedConstant,
  numberOf,
  type Op,
  opError,
  type Traits,
  type Unit,
} from "./op";

/** Flattened images are read as they lie: their weights are permuted when packed. */
const layout: NonNullable<Op["layout"]> = (node, [x = "plain"], [type]) => {
  const usable: Layout = x.startsWith("flat:") && type!.shape.length === 2 ? x : "plain";
  return { inputs: node.inputs.map((_, i) => (i === 0 ? usable : "plain")), outputs: ["plain"] };
};

/** Weights [N, K] or [K, N], with k in the order the input has it in memory. */
export function denseView(weights: readonly number[], transposed: boolean, x: Layout): WeightView {
  const [n, k] = transposed ? [weights[0]!, weights[1]!] : [weights[1]!, weights[0]!];
  const [strideN, strideK] = transposed ? [k, 1] : [1, n];
  const channels = x.startsWith("flat:") ? Number(x.slice(5)) : k;
  const taps = k / channels;
  return { n, taps, channels, strideN, strideTap: strideK, strideC: taps * strideK };
}

/** The product that a Gemm is, without where its result goes, and its bias. */
export function gemmOf(unit: Unit, c: Lowering) {
  const { node } = unit;
  const [x, w, b = ""] = unit.inputs as [string, string, string?];
  const weights = c.constant(w);
  const bias = b === "" ? undefined : c.constant(b);
  if (!weights || (b !== "" && !bias)) throw opError(node, "weights and bias must be constants");
  const plain =
    ["alpha", "beta"].every((name) => numberOf(node, name, 1) === 1) && numberOf(node, "transA", 0) === 0;
  if (!plain)
    throw opError(node, "only alpha = beta = 1 and transA = 0 have kernels", {
      hint: "simplify() writes Gemm with other values as one without",
    });
  const view = denseView(weights.shape, numberOf(node, "transB", 0) === 1, c.layout(x));
  const k = view.taps * view.channels;
  const dense = {
    unit,
    x: c.input(x),
    ldx: k,
    ldy: view.n,
    rows: c.type(x).shape[0]!,
    weights,
    view,
  };
  if (bias && !isOneRow(bias.shape, view.n))
    throw opError(node, "the bias must be one row", {
      expected: `[${view.n}]`,
      got: formatShape(bias.shape),
      hint: "simplify() writes any other as an Add",
    });
  return { dense, bias: bias && repeated(bias, view.n) };
}

/** Whether a bias is one number a column, or one in all. */
export const isOneRow = (shape: Shape, columns: Dim): boolean =>
  shape.slice(0, -1).every((dim) => dim === 1) && [1, columns].includes(shape.at(-1) ?? 1);

/** A bias of one number is that of every column. */
function repeated(bias: NamedConstant, n: number): Content {
  return sizeOf(bias.shape) === n ? bias : allocate(bias.dtype, n).fill(elementsOf(bias)[0]!);
}

/** General matrix product, ONNX Gemm-13: x [m, k], w [k, n] or [n, k] with transB, b [n]. */
export const gemm: Op = {
  inputs: 3,
  attributes: ["alpha", "beta", "transA", "transB"],
  infer(node, inputs) {
    const [a, b] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    const [m, k] = numberOf(node, "transA", 0) ? [a.shape[1], a.shape[0]] : a.shape;
    const [inner, n] = numberOf(node, "transB", 0) ? [b.shape[1], b.shape[0]] : b.shape;
    if (a.shape.length !== 2 || b.shape.length !== 2 || k !== inner)
      throw opError(node, "inner sizes differ", {
        expected: `[m, k] × [k, n]`,
        got: `${formatShape(a.shape)} × ${formatShape(b.shape)} with transA ${numberOf(node, "transA", 0)}, transB ${numberOf(node, "transB", 0)}`,
      });
    if (inputs[2] && !isWithin(floatType(node, inputs, 2).shape, [m!, n!]))
      throw opError(node, "the bias does not fit", {
        expected: `what broadcasts to ${formatShape([m!, n!])}`,
        got: formatShape(inputs[2].shape),
      });
    return [{ dtype: "f32", shape: [m!, n!] }];
  },
  rows: true,
  layout,
  fusesClamp: "always",
  lower(unit, c) {
    const { dense, bias } = gemmOf(unit, c);
    lowerDense(c, { ...dense, y: c.output(unit.outputs[0]!) }, bias);
  },
  lowerInteger(unit, c) {
    const { dense, bias } = gemmOf(unit, c);
    lowerDenseInt8(c, { ...dense, y: c.output(unit.outputs[0]!) }, bias);
  },
};

export const gemmTraits: Traits = { codes: "layer", homogeneous: undefined, trained: { weight: 1, bias: 2 } };
