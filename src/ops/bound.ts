// A graph with other dimensions in place of symbols, such as the numbers of a run.

import { substituted } from "../graph/dim-functions";
import type { Attribute, Graph, Node } from "../graph/graph";
import type { Dim } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import type { Registry } from "./infer";

/** The graph with other dimensions in place of symbols: in the shapes of inputs, and in parameters that nodes have as attributes. */
export function bound<C extends Constant>(
  graph: Graph<C>,
  registry: Registry,
  sizes: Readonly<Record<string, Dim>>,
): Graph<C> {
  if (Object.keys(sizes).length === 0) return graph;
  return {
    ...graph,
    inputs: graph.inputs.map((input) => ({
      ...input,
      shape: input.shape.map((dim) => substituted(dim, sizes)),
    })),
    nodes: graph.nodes.map((node) => boundNode(node, registry, sizes)),
  };
}

/** The node with other dimensions in place of symbols among its parameters. */
export function boundNode(node: Node, registry: Registry, sizes: Readonly<Record<string, Dim>>): Node {
  const parameters = ["found", ...Object.values(registry[node.op]?.parameters ?? {})];
  const names = parameters.filter((name) => name in node.attributes);
  if (names.length === 0) return node;
  const numbered = (value: Attribute): Attribute =>
    Array.isArray(value) ? value.map((dim) => substituted(dim, sizes)) : substituted(value as Dim, sizes);
  const own = names.map((name) => [name, numbered(node.attributes[name]!)] as const);
  return { ...node, attributes: { ...node.attributes, ...Object.fromEntries(own) } };
}
