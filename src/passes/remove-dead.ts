// Removes nodes whose outputs nobody reads, and constants that no node is left to read.

import type { Graph } from "../graph/graph";

export function removeDead(graph: Graph): Graph {
  const used = new Set(graph.outputs);
  const nodes = [...graph.nodes]
    .reverse()
    .filter((node) => {
      const isAlive = node.outputs.some((output) => used.has(output));
      if (isAlive) for (const input of node.inputs) used.add(input);
      return isAlive;
    })
    .reverse();
  const constants = new Map([...graph.constants].filter(([name]) => used.has(name)));
  const isClean = nodes.length === graph.nodes.length && constants.size === graph.constants.size;
  return isClean ? graph : { ...graph, nodes, constants };
}
