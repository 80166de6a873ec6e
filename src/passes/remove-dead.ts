// Removes nodes whose outputs nobody reads and that write to no state, and constants that no node is left to read.

import { type Graph, readsOf } from "../graph/graph";

export function removeDead(graph: Graph): Graph {
  const used = new Set(graph.outputs);
  const states = new Set(graph.states?.map(({ name }) => name));
  const nodes = [...graph.nodes]
    .reverse()
    .filter((node) => {
      const isAlive =
        node.outputs.some((output) => used.has(output)) || node.inputs.some((input) => states.has(input));
      if (isAlive) for (const value of readsOf(node)) used.add(value);
      return isAlive;
    })
    .reverse();
  const constants = new Map([...graph.constants].filter(([name]) => used.has(name)));
  const isClean = nodes.length === graph.nodes.length && constants.size === graph.constants.size;
  return isClean ? graph : { ...graph, nodes, constants };
}
