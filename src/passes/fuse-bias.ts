// An Add of one constant a channel behind a Conv, Gemm or MatMul becomes its bias. A MatMul of two matrices is a Gemm
// then; one of more dimensions stays as it is.

import type { Graph, Node } from "../graph/graph";
import type { Shape } from "../graph/symbols";
import { type Tensor, tensor } from "../graph/tensor";
import type { ToolkitOps } from "../ops/infer";
import { channelAxis, isLinear, layerForm, withBiasInput } from "../ops/linear-layer";
import { numberOf } from "../ops/op";
import { sameShape } from "../ops/reshape";
import { Rewrite } from "./rewrite";
import type { Room } from "./room";

export function fuseBias(graph: Graph, registry: ToolkitOps, room?: Room): Graph {
  const rewrite = new Rewrite(graph, room);
  const shapeOf = (value: string) => rewrite.type(value, registry).shape;
  for (const add of graph.nodes) {
    if (registry[add.op]?.codes !== "sum" || add.codes) continue;
    for (const [value, constant] of [add.inputs, [...add.inputs].reverse()] as [string, string][]) {
      const linear = rewrite.soleProducer(value);
      const added = rewrite.constant(constant);
      if (!linear || !added || !sameShape(shapeOf(value), shapeOf(add.outputs[0]!))) continue;
      const fused = withBias(linear, constant, added, rewrite, shapeOf(linear.outputs[0]!));
      if (!fused) continue;
      rewrite.replace(linear, { ...fused, outputs: add.outputs });
      rewrite.replace(add);
      break;
    }
  }
  return rewrite.done();
}

/** The layer with `added` in its bias, or undefined where it has none of that form. */
function withBias(
  linear: Node,
  name: string,
  added: Tensor,
  rewrite: Rewrite,
  output: Shape,
): Node | undefined {
  if (!isLinear(linear)) return undefined;
  const at = channelAxis(linear, output.length);
  const channels = output[at];
  const weight = rewrite.constant(linear.inputs[1]);
  if (at !== 1 || typeof channels !== "number" || !weight || added.dtype !== "f32") return undefined;
  const values = perChannel(added, channels, output.length - 1);
  const isForm = typeof layerForm(linear, weight.shape) !== "string" && numberOf(linear, "beta", 1) === 1;
  if (!values || !isForm) return undefined;
  const [x, w, bias = ""] = linear.inputs as [string, string, string?];
  const old = rewrite.constant(bias);
  if (bias !== "" && old?.data.length !== channels) return undefined;
  const sum = old ? Float64Array.from(values, (value, c) => value + old.data[c]!) : values;
  // The constant keeps its name where it is a vector already.
  const held =
    !old && added.shape.length === 1 && added.data.length === channels
      ? name
      : rewrite.hold(old ? bias : name, tensor("f32", [channels], sum));
  return { ...withBiasInput(linear), inputs: [x, w, held] };
}

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
