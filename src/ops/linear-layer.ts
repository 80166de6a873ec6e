// Conv, Gemm and MatMul with constant weights seen as one thing: outputs that sum inputs over taps. Equalization and
// quantization walk their weights through this view, whatever order the operator keeps them in.

import type { Graph, Node } from "../graph/graph";
import { numberOf } from "./op";

/** How a layer's weights lie. */
export interface LayerForm {
  readonly outputs: number;
  /** Inputs that one output reads: output o reads those from `floor(o / perGroup) · inputs` on. */
  readonly inputs: number;
  readonly perGroup: number;
  /** Positions of a kernel; 1 where there is none. */
  readonly taps: number;
  /** Elements between outputs and between inputs; taps are next to each other. */
  readonly outputStride: number;
  readonly inputStride: number;
  /** Axis of the outputs in the weight's shape. */
  readonly axis: number;
}

export interface LinearLayer extends LayerForm {
  readonly node: Node;
  /** Constant that holds the weights, f32. */
  readonly weight: string;
  /** Constant with one number an output, or one for all. */
  readonly bias: string | undefined;
}

export const isLinear = ({ op }: Node): boolean => op === "Conv" || op === "Gemm" || op === "MatMul";

export const isConvolution = ({ op }: Node): boolean => op === "Conv";

/** The layer with room for a bias, its third input; of a product of matrices. */
export const withBiasInput = (layer: Node): Node =>
  layer.op === "MatMul" ? { ...layer, op: "Gemm", attributes: {} } : layer;

/** The axis of its input's channels, and of its output's. */
export const channelAxis = ({ op }: Node, rank: number): number => (op === "Conv" ? 1 : rank - 1);

/** Whether a layer is the sums of products of its inputs, as they are, and its bias. */
export const isPlainLayer = (node: Node): boolean =>
  numberOf(node, "alpha", 1) === 1 && numberOf(node, "beta", 1) === 1 && numberOf(node, "transA", 0) === 0;

/** How weights of this shape lie in a Conv, Gemm or MatMul, or in words why they are none of a layer. */
export function layerForm(node: Node, shape: readonly number[]): LayerForm | string {
  const [rows = 0, cols = 0, ...kernel] = shape;
  const isProduct = node.op !== "Conv";
  if (isProduct && shape.length !== 2) return "its weight is not a matrix";
  const isByOutput = !isProduct || numberOf(node, "transB", 0) !== 0;
  const taps = kernel.reduce((n, d) => n * d, 1);
  const [outputs, inputs] = isByOutput ? [rows, cols] : [cols, rows];
  return {
    outputs,
    inputs,
    perGroup: outputs / numberOf(node, "group", 1),
    taps,
    outputStride: isByOutput ? cols * taps : 1,
    inputStride: isByOutput ? taps : cols,
    axis: isByOutput ? 0 : 1,
  };
}

/** The layer a Conv, Gemm or MatMul is, or in words why it is none. */
export function linearLayerOf(graph: Graph, node: Node): LinearLayer | string {
  const [, weight = "", bias = ""] = node.inputs;
  const w = graph.constants.get(weight);
  const b = graph.constants.get(bias);
  if (w?.dtype !== "f32") return "its weight is not a float constant";
  if (bias !== "" && b?.dtype !== "f32") return "its bias is not a float constant";
  const form = layerForm(node, w.shape);
  if (typeof form === "string") return form;
  if (numberOf(node, "transA", 0) !== 0) return "transA is set";
  if (b && b.data.length !== form.outputs && b.data.length !== 1)
    return "its bias is not one number an output";
  return { ...form, node, weight, bias: bias === "" ? undefined : bias };
}

/** Visits every weight with its output and input channel; a number returned takes its place. */
export function visitWeights(
  { outputs, inputs, perGroup, taps, outputStride, inputStride }: LayerForm,
  data: Float32Array,
  visit: (output: number, input: number, w: number) => number | undefined,
): void {
  for (let o = 0; o < outputs; o++) {
    const firstInput = ((o - (o % perGroup)) / perGroup) * inputs;
    for (let i = 0; i < inputs; i++)
      for (let t = 0; t < taps; t++) {
        const at = o * outputStride + i * inputStride + t;
        const replacement = visit(o, firstInput + i, data[at]!);
        if (replacement !== undefined) data[at] = replacement;
      }
  }
}
