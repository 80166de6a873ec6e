// Convolutions and poolings that the core has no kernels for, over volumes or of computed weights, and codes of computed scales, as ops
// of groups that have some. It runs last: until then they are what other passes know.

import { type Graph, type Node, producersOf, type ValueType } from "../graph/graph";
import { inferTypes, type ToolkitOps } from "../ops/infer";

type Types = ReadonlyMap<string, ValueType>;

const isVolume = (node: Node, types: Types) => types.get(node.inputs[0]!)!.shape.length > 4;

/** The general op that a node is, if it is one. */
type Rule = (
  node: Node,
  types: Types,
  graph: Graph,
  producers: ReadonlyMap<string, Node>,
  registry: ToolkitOps,
) => Node | undefined;

const layer: Rule = (node, types, { constants }) => {
  const isKnown = node.inputs.slice(1).every((name) => name === "" || constants.has(name));
  return isVolume(node, types) || !isKnown ? { ...node, op: `General${node.op}` } : undefined;
};

const pool: Rule = (node, types) =>
  isVolume(node, types) ? { ...node, op: `General${node.op}` } : undefined;

/** A pooling of all there is, as one of a window so large. */
const globally =
  (op: string): Rule =>
  (node, types) => {
    const kernel_shape = types.get(node.inputs[0]!)!.shape.slice(2) as number[];
    return isVolume(node, types) ? { ...node, op, attributes: { kernel_shape } } : undefined;
  };

/** Whether codes have one constant scale and zero point in all, as the core takes them. */
function isPlain({ inputs, attributes }: Node, { constants }: Graph): boolean {
  const [, scale = "", zero = ""] = inputs;
  const isKnown = constants.get(scale)?.data.length === 1 && (zero === "" || constants.has(zero));
  return isKnown && !attributes.block_size;
}

const dequantize: Rule = (node, types, graph, producers) => {
  const [x = "", scale = ""] = node.inputs;
  const isOwn = isPlain(node, graph) && types.get(x)!.dtype !== "i32";
  const isDynamic = producers.get(scale)?.op === "DynamicQuantize";
  return isOwn || isDynamic ? undefined : { ...node, op: "GeneralDequantize" };
};

/** Most products of two bytes whose sums f32 holds: MOST · 255² < 2²⁴. */
const MOST = 257;

/** How many products a value's numbers are sums of; infinite where that is not known. */
function depthOf(
  value: string,
  types: Types,
  producers: ReadonlyMap<string, Node>,
  registry: ToolkitOps,
): number {
  const { op = "", inputs = [] } = producers.get(value) ?? {};
  const depth = registry[op]?.depth?.(inputs.map((name) => types.get(name)?.shape ?? [])) ?? [Infinity];
  return depth.reduce<number>((n, dim) => n * (typeof dim === "number" ? dim : Infinity), 1);
}

/** Sums of codes are whole in f32 only as far as it holds them. */
const quantize: Rule = (node, types, graph, producers, registry) => {
  const makesSums = types.get(node.outputs[0]!)!.dtype === "i32";
  if (makesSums && depthOf(node.inputs[0]!, types, producers, registry) > MOST) return undefined;
  return isPlain(node, graph) && !makesSums ? undefined : { ...node, op: "GeneralQuantize" };
};

const rules: Readonly<Record<string, Rule>> = {
  AveragePool: pool,
  Conv: layer,
  ConvTranspose: layer,
  DequantizeLinear: dequantize,
  GlobalAveragePool: globally("GeneralAveragePool"),
  GlobalMaxPool: globally("GeneralMaxPool"),
  MaxPool: pool,
  QuantizeLinear: quantize,
};

export function generalForms(graph: Graph, registry: ToolkitOps): Graph {
  const isMeant = ({ op, codes }: Node) => !codes && Object.hasOwn(rules, op);
  if (!graph.nodes.some(isMeant)) return graph;
  const types = inferTypes(graph, registry);
  const producers = producersOf(graph);
  let isSame = true;
  const nodes = graph.nodes.map((node) => {
    const general = isMeant(node) ? rules[node.op]!(node, types, graph, producers, registry) : undefined;
    if (general) isSame = false;
    return general ?? node;
  });
  return isSame ? graph : { ...graph, nodes };
}
