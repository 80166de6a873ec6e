// Graphs within a graph: the branches of an If, the body of a Loop. Each is whole, with inputs, constants and symbols of its own; what it
// reads of the graph around it is among its inputs, and among those of the node that has it.

import { OctetteError } from "../errors";
import type { Graph, Node } from "./graph";
import type { Constant, Tensor } from "./tensor";

/** Graphs inside each other. Exporters write two or three. */
export const MAX_DEPTH = 8;
/** Graphs within a graph, all in all: each has memory of its own. */
export const MAX_BODIES = 2 ** 8;

/** The graphs of a node. */
export const bodiesOf = ({ graphs }: Node): readonly Graph<Constant>[] => Object.values(graphs ?? {});

/** All nodes of a graph, and those of graphs within it. */
export const nodesIn = ({ nodes }: Graph<Constant>): readonly Node[] =>
  nodes.flatMap((node) => [node, ...bodiesOf(node).flatMap(nodesIn)]);

/** A graph, and all graphs within it. */
export const graphsIn = (graph: Graph<Constant>): readonly Graph<Constant>[] => [
  graph,
  ...nodesIn(graph).flatMap(bodiesOf),
];

/** Constants of a graph and of those within it, each once. */
export const constantsIn = (graph: Graph): readonly Tensor[] => [
  ...new Set(graphsIn(graph).flatMap(({ constants }) => [...constants.values()] as Tensor[])),
];

/** A node with other graphs, without those of which `change` gives none; the same node where it gives the same ones. */
export function withBodies(
  node: Node,
  change: (body: Graph, name: string) => Graph<Constant> | undefined,
): Node {
  if (!node.graphs) return node;
  const entries = Object.entries(node.graphs);
  const changed = entries.map(([name, body]) => [name, change(body as Graph, name)!] as const);
  const isSame = changed.every(([, body], i) => body === entries[i]![1]);
  return isSame ? node : { ...node, graphs: Object.fromEntries(changed.filter(([, body]) => body)) };
}

/** A graph, and all graphs within it before, changed: the same object where nothing is. */
export function everywhere(graph: Graph, change: (graph: Graph) => Graph): Graph {
  const nodes = graph.nodes.map((node) => withBodies(node, (body) => everywhere(body, change)));
  return change(nodes.every((node, i) => node === graph.nodes[i]) ? graph : { ...graph, nodes });
}

/** Throws where graphs are nested too deeply, or are too many. */
export function checkBodies(depth: number, where = "model", count = 0): void {
  if (depth <= MAX_DEPTH && count <= MAX_BODIES) return;
  throw new OctetteError("too many graphs within graphs", {
    code: "limit",
    where,
    expected: `at most MAX_DEPTH = ${MAX_DEPTH} inside each other, MAX_BODIES = ${MAX_BODIES} in all`,
  });
}
