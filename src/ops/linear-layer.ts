// Ops whose traits say `layer`, seen as one thing: outputs that sum products of inputs with constant weights
// [outputs, inputs, ...kernel] and a bias. Equalization, quantization and training walk weights through this view.

import type { Graph, Node } from "../graph/graph";
import type { Shape } from "../graph/symbols";
import { sizeOf, type Tensor } from "../graph/tensor";
import { sameShape } from "./core/reshape";
import type { ToolkitOps } from "./infer";
import { numberOf } from "./op";

/** How a layer's weights lie: [outputs][inputs][taps]. */
export interface LayerForm {
  readonly outputs: number;
  /** Inputs that one output reads: output o reads those from `floor(o / perGroup) · inputs` on. */
  readonly inputs: number;
  readonly perGroup: number;
  /** Positions of a kernel; 1 where there is none. */
  readonly taps: number;
}

export interface LinearLayer extends LayerForm {
  readonly node: Node;
  /** Axis of the channels of its input and its output: 1, or −1 for the last. */
  readonly axis: number;
  /** Constant that holds the weights, f32. */
  readonly weight: string;
  /** Constant with one number an output, or one for all. */
  readonly bias: string | undefined;
}

export const isLayer = ({ op }: Node, ops: ToolkitOps): boolean => ops[op]?.codes === "layer";

/** Whether it is a layer over images, whose kernels move. */
export const isConvolution = ({ op }: Node, ops: ToolkitOps): boolean => ops[op]?.channels === "second";

/** The axis of a layer's input's channels, and of its output's. */
export const channelAxis = (node: Node, rank: number, ops: ToolkitOps): number =>
  isConvolution(node, ops) ? 1 : rank - 1;

/** Where an Add can be the bias of the layer before it: the place of the channels, counted from the right; undefined where it widens `output`. */
export const biasPlace = (layer: Node, output: Shape, sum: Shape, ops: ToolkitOps): number | undefined =>
  sameShape(output, sum) ? output.length - channelAxis(layer, output.length, ops) : undefined;

/** One number a channel when a constant is that, counted from the right: channels are at `fromRight`. */
export function perChannel(
  added: Tensor,
  channels: number,
  fromRight: number,
): ArrayLike<number> | undefined {
  if (added.data.length === 1) return new Float32Array(channels).fill(added.data[0]!);
  const at = added.shape.length - fromRight;
  const isVector = added.data.length === channels && added.shape[at] === channels;
  return isVector ? added.data : undefined;
}

/** How weights of this shape lie. */
export function layerForm(node: Node, [outputs = 0, inputs = 0, ...kernel]: readonly number[]): LayerForm {
  return { outputs, inputs, perGroup: outputs / numberOf(node, "group", 1), taps: sizeOf(kernel) };
}

/** The layer over floats that a node is, or in words why it is none. */
export function linearLayerOf(graph: Graph, node: Node, ops: ToolkitOps): LinearLayer | string {
  const [, weight = "", bias = ""] = node.inputs;
  const w = graph.constants.get(weight);
  const b = graph.constants.get(bias);
  if (w?.dtype !== "f32") return "its weight is not a float constant";
  if (bias !== "" && b?.dtype !== "f32") return "its bias is not a float constant";
  const form = layerForm(node, w.shape);
  if (b && !perChannel(b, form.outputs, 1)) return "its bias is not one number an output";
  return { ...form, node, axis: channelAxis(node, 0, ops), weight, bias: bias === "" ? undefined : bias };
}

/** Visits every weight with its output and input channel; a number returned takes its place. */
export function visitWeights(
  { outputs, inputs, perGroup, taps }: LayerForm,
  data: Float32Array,
  visit: (output: number, input: number, w: number) => number | undefined,
): void {
  for (let o = 0, at = 0; o < outputs; o++) {
    const firstInput = Math.floor(o / perGroup) * inputs;
    for (let i = 0; i < inputs; i++)
      for (let t = 0; t < taps; t++, at++) {
        const replacement = visit(o, firstInput + i, data[at]!);
        if (replacement !== undefined) data[at] = replacement;
      }
  }
}
