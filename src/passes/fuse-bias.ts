// An Add after a layer, of one constant a channel, becomes its bias.

import type { Graph, Node } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import { type Tensor, tensor } from "../graph/tensor";
import type { ToolkitOps } from "../ops/infer";
import { biasPlace, isLayer, perChannel } from "../ops/linear-layer";
import { Rewrite } from "../rewrite/changes";
import type { Room } from "../rewrite/room";

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
      const place = biasPlace(layer, shape, shapeOf(add.outputs[0]!), registry);
      const inputs = place && withBias(layer, constant, added, rewrite, shape.at(-place)!, place);
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
  channels: Dim,
  fromRight: number,
): readonly string[] | undefined {
  if (typeof channels !== "number" || !rewrite.constant(w)) return undefined;
  const values = perChannel(added, channels, fromRight);
  const old = rewrite.constant(bias);
  if (!values || (bias !== "" && old?.data.length !== channels)) return undefined;
  const sum = old ? Float64Array.from(values, (value, c) => value + old.data[c]!) : values;
  // The constant keeps its name where it is a vector already.
  const isVector = added.shape.length === 1 && added.data.length === channels;
  const held = !old && isVector ? name : rewrite.hold(old ? bias : name, tensor("f32", [channels], sum));
  return [x, w, held];
}
