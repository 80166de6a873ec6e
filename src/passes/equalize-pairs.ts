// The pairs of layers between which equalization moves scale, and why the other layers have none.

import { consumersOf, type Graph, type Node, type ValueType } from "../graph/graph";
import { countOf, divideDims, type Shape } from "../graph/symbols";
import { inferTypes, type ToolkitOps } from "../ops/infer";
import { channelAxis, isLayer, type LinearLayer, linearLayerOf } from "../ops/linear-layer";

export interface NotEqualized {
  /** The layer whose output channels keep their scale. */
  readonly where: string;
  readonly reason: string;
}

export interface EqualizablePair {
  readonly first: LinearLayer;
  readonly second: LinearLayer;
  readonly channels: number;
  /** Consecutive inputs of the second layer that belong to one channel: more than 1 after Flatten. */
  readonly repeat: number;
}

/** The pairs of layers between which scale can move, and why the other layers have none. */
export function findPairs(
  graph: Graph,
  registry: ToolkitOps,
): { pairs: EqualizablePair[]; skipped: NotEqualized[] } {
  const types = inferTypes(graph, registry);
  const consumers = consumersOf(graph);
  const outputs = new Set(graph.outputs);
  const pairs: EqualizablePair[] = [];
  const skipped: NotEqualized[] = [];
  const layers = new Map<Node, LinearLayer | string>();
  for (const node of graph.nodes)
    if (isLayer(node, registry)) layers.set(node, scalable(graph, node, registry, consumers));
  for (const [node, first] of layers) {
    const skip = (reason: string) => skipped.push({ where: node.name, reason });
    if (typeof first === "string") {
      skip(first);
      continue;
    }
    const end = follow(node, first, { types, registry, consumers, outputs });
    if (typeof end === "string") {
      skip(end);
      continue;
    }
    const second = layers.get(end.node)!;
    if (typeof second === "string") {
      skip(`${end.node.op} "${end.node.name}": ${second}`);
      continue;
    }
    const read = (second.outputs / second.perGroup) * second.inputs;
    if (read !== first.outputs * end.repeat) skip(`"${end.node.name}" does not read its channels one by one`);
    else pairs.push({ first, second, channels: first.outputs, repeat: end.repeat });
  }
  return { pairs, skipped };
}

/** A layer whose weights can be scaled channel by channel, or why it is none. */
function scalable(
  graph: Graph,
  node: Node,
  registry: ToolkitOps,
  consumers: ReadonlyMap<string, readonly Node[]>,
): LinearLayer | string {
  const layer = linearLayerOf(graph, node, registry);
  if (typeof layer === "string") return layer;
  const { weight, bias, outputs } = layer;
  const shared = [weight, bias].find((name) => name !== undefined && consumers.get(name)!.length > 1);
  if (shared !== undefined) return `constant "${shared}" is shared with another node`;
  if (bias !== undefined && graph.constants.get(bias)!.data.length !== outputs)
    return "its bias is one number for all channels";
  return layer;
}

interface Surroundings {
  readonly types: ReadonlyMap<string, ValueType>;
  readonly registry: ToolkitOps;
  readonly consumers: ReadonlyMap<string, readonly Node[]>;
  readonly outputs: ReadonlySet<string>;
}

/** Follows a layer's output to the layer that reads it. Text: why there is none. */
function follow(
  start: Node,
  { outputs: channels }: LinearLayer,
  { types, registry, consumers, outputs }: Surroundings,
): { node: Node; repeat: number } | string {
  let value = start.outputs[0]!;
  const axis = channelAxis(start, types.get(value)!.shape.length, registry);
  for (;;) {
    if (outputs.has(value)) return `"${value}" is an output of the model`;
    const readers = consumers.get(value) ?? [];
    if (readers.length !== 1) return `"${value}" is read by ${readers.length} nodes`;
    const node = readers[0]!;
    const shape = types.get(value)!.shape;
    if (isLayer(node, registry)) {
      if (node.inputs[0] !== value) return `"${node.name}" reads it as a weight or bias`;
      if (axis !== channelAxis(node, shape.length, registry)) return `"${node.name}" sums over another axis`;
      const repeat = divideDims(shape[axis]!, channels);
      return typeof repeat === "number"
        ? { node, repeat }
        : `"${node.name}" does not read its channels one by one`;
    }
    const stop = `${node.op} "${node.name}" does not pass a channel's scale on`;
    const op = registry[node.op]!;
    const next = node.outputs[0]!;
    const passes = op.reshapes
      ? axis === 1 && keepsChannels(shape, types.get(next)!.shape)
      : op.homogeneous?.(node, axis, shape.length);
    if (!passes || node.inputs.length !== 1) return stop;
    value = next;
  }
}

/** Whether another shape leaves channels in order along axis 1, each maybe several times in a row. */
const keepsChannels = (from: Shape, to: Shape): boolean =>
  from.length > 1 &&
  to.length > 1 &&
  from[0] === to[0] &&
  countOf(from.slice(1)) === countOf(to.slice(1)) &&
  (to.length === 2 || to[1] === from[1]);
