// Removes nodes whose outputs, and sizes that they find, nobody reads and that write to no state, and constants that no node is
// left to read.

import { type Graph, type Node, readsOf } from "../graph/graph";
import { type Dim, symbolsOf } from "../graph/symbols";

export function removeDead(graph: Graph): Graph {
  const used = new Set(graph.outputs);
  const states = new Set(graph.states?.map(({ name }) => name));
  /** Symbols that attributes of later nodes mention. */
  const mentioned = new Set<string>();
  const finds = graph.nodes.some(({ attributes }) => attributes.found !== undefined);
  const nodes = [...graph.nodes]
    .reverse()
    .filter((node) => {
      const { found = [], ...attributes } = node.attributes;
      const isAlive =
        node.outputs.some((output) => used.has(output)) ||
        node.inputs.some((input) => states.has(input)) ||
        (found as readonly Dim[]).some((dim) => typeof dim === "string" && mentioned.has(dim)) ||
        (node.outputs.length === 0 && isChecked(found as readonly Dim[]));
      if (isAlive) for (const value of readsOf(node)) used.add(value);
      if (isAlive && finds) for (const symbol of symbolsIn(attributes)) mentioned.add(symbol);
      return isAlive;
    })
    .reverse();
  const constants = new Map([...graph.constants].filter(([name]) => used.has(name)));
  const isClean = nodes.length === graph.nodes.length && constants.size === graph.constants.size;
  return isClean ? graph : { ...graph, nodes, constants };
}

/** Whether a run compares what a node finds with what it has to be, or a node finds nothing and is there to refuse runs. */
const isChecked = (found: readonly Dim[]) =>
  found.length === 0 || found.some((dim) => typeof dim === "number");

const symbolsIn = (attributes: Node["attributes"]): string[] =>
  Object.values(attributes)
    .flat()
    .flatMap((value) => (typeof value === "string" && /^[\w$*+(),.-]+$/.test(value) ? symbolsOf(value) : []));
