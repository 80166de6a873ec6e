// Conv, Gemm and MatMul with constant weights seen as one thing: outputs that sum inputs over taps. Equalization and
// quantization walk their weights through this view, whatever order the operator keeps them in.

import type { Graph, Node } from "../graph/graph";
import { numberOf } from "./op";

export interface LinearLayer {
  readonly node: Node;
  /** Constant that holds the weights, f32. */
  readonly weight: string;
  /** Constant with one number an output, or one for all. */
  readonly bias: string | undefined;
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

export const isLinear = ({ op }: Node): boolean => op === "Conv" || op === "Gemm" || op === "MatMul";

/** The layer a Conv, Gemm or MatMul is, or in words why it is none. */
export function linearLayerOf(graph: Graph, node: Node): LinearLayer | string {
  const [, weight = "", bias = ""] = node.inputs;
  const w = graph.constants.get(weight);
  const b = graph.constants.get(bias);
  if (w?.dtype !== "f32") return "its weight is not a float constant";
  if (bias !== "" && b?.dtype !== "f32") return "its bias is not a float constant";
  const common = { node, weight, bias: bias === "" ? undefined : bias };
  const [rows = 0, cols = 0] = w.shape;
  const layer = node.op === "Conv" ? convolution() : product();
  if (typeof layer !== "string" && b && b.data.length !== layer.outputs && b.data.length !== 1)
    return "its bias is not one number an output";
  return layer;

  function convolution(): LinearLayer {
    const taps = w!.shape.slice(2).reduce((n, d) => n * d, 1);
    return {
      ...common,
      outputs: rows,
      inputs: cols,
      perGroup: rows / numberOf(node, "group", 1),
      taps,
      outputStride: cols * taps,
      inputStride: taps,
      axis: 0,
    };
  }

  function product(): LinearLayer | string {
    if (w!.shape.length !== 2) return "its weight is not a matrix";
    if (node.op === "Gemm" && numberOf(node, "transA", 0) !== 0) return "transA is set";
    const transposed = node.op === "Gemm" && numberOf(node, "transB", 0) !== 0;
    return transposed
      ? {
          ...common,
          outputs: rows,
          inputs: cols,
          perGroup: rows,
          taps: 1,
          outputStride: cols,
          inputStride: 1,
          axis: 0,
        }
      : {
          ...common,
          outputs: cols,
          inputs: rows,
          perGroup: cols,
          taps: 1,
          outputStride: 1,
          inputStride: cols,
          axis: 1,
        };
  }
}

/** Visits every weight with its output and input channel; a number returned takes its place. */
export function visitWeights(
  { outputs, inputs, perGroup, taps, outputStride, inputStride }: LinearLayer,
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
