// An Add after a layer, of one constant a channel, becomes its bias.

import type { Graph, Node } from "../graph/graph";
import type { Shape } from "../graph/symbols";
import { type Tensor, tensor } from "../graph/tensor";
import type { ToolkitOps } from "../ops/infer";
import { channelAxis, isLayer } from "../ops/linear-layer";
import { sameShape } from "../ops/reshape";
import { Rewrite } from "./rewrite";
import type { Room } from "./room";

export function fuseBias(graph: Graph, registry: ToolkitOps, room?: Room): Graph {
  const rewrite = new Rewrite(graph, room);
  const shapeOf = (value: string) => rewrite.type(value, registry).shape;
  for (const add of graph.nodes) {
    if (registry[add.op]?.codes !== "sum" || add.codes) continue;
    for (const [value, constant] of [add.inputs, [...add.inputs].reverse()] as [string, string][]) {
      const layer = rewrite.soleProducer(value);
      const added = rewrite.constant(constant);
      if (!layer || !isLayer(layer, registry) || added?.dtype !== "f32") continue;
      const shape = shapeOf(value);
      if (!sameShape(shape, shapeOf(add.outputs[0]!))) continue;
      const inputs = withBias(
        layer,
        constant,
        added,
        rewrite,
        shape,
        channelAxis(layer, shape.length, registry),
      );
      if (!inputs) continue;
      rewrite.replace(layer, { ...layer, inputs, outputs: add.outputs });
      rewrite.replace(add);
      break;
    }
  }
  return rewrite.done();
}

/** The inputs of a layer with `added` in its bias, or undefined where that is not one number a channel. */
function withBias(
  { inputs: [x = "", w = "", bias = ""] }: Node,
  name: string,
  added: Tensor,
  rewrite: Rewrite,
  output: Shape,
  axis: number,
): readonly string[] | undefined {
  const channels = output[axis];
  if (typeof channels !== "number" || !rewrite.constant(w)) return undefined;
  const values = perChannel(added, channels, output.length - axis);
  const old = rewrite.constant(bias);
  if (!values || (bias !== "" && old?.data.length !== channels)) return undefined;
  const sum = old ? Float64Array.from(values, (value, c) => value + old.data[c]!) : values;
  // The constant keeps its name where it is a vector already.
  const isVector = added.shape.length === 1 && added.data.length === channels;
  const held = !old && isVector ? name : rewrite.hold(old ? bias : name, tensor("f32", [channels], sum));
  return [x, w, held];
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
