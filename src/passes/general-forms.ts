// Convolutions and poolings that the core has no kernels for, over volumes or of computed weights, as the ops of the group windows
// that have some. It runs last: until then they are what other passes know.

import type { Graph, Node, ValueType } from "../graph/graph";
import { inferTypes, type ToolkitOps } from "../ops/infer";

type Types = ReadonlyMap<string, ValueType>;

const isVolume = (node: Node, types: Types) => types.get(node.inputs[0]!)!.shape.length > 4;

/** The general op that a node is, if it is one. */
type Rule = (node: Node, types: Types, graph: Graph) => Node | undefined;

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

const rules: Readonly<Record<string, Rule>> = {
  AveragePool: pool,
  Conv: layer,
  ConvTranspose: layer,
  GlobalAveragePool: globally("GeneralAveragePool"),
  GlobalMaxPool: globally("GeneralMaxPool"),
  MaxPool: pool,
};

export function generalForms(graph: Graph, registry: ToolkitOps): Graph {
  const isMeant = ({ op, codes }: Node) => !codes && Object.hasOwn(rules, op);
  if (!graph.nodes.some(isMeant)) return graph;
  const types = inferTypes(graph, registry);
  let isSame = true;
  const nodes = graph.nodes.map((node) => {
    const general = isMeant(node) ? rules[node.op]!(node, types, graph) : undefined;
    if (general) isSame = false;
    return general ?? node;
  });
  return isSame ? graph : { ...graph, nodes };
}
