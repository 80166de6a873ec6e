// A language model in blocks: from the ids to the first hidden state, from each hidden state to the next, from the last to the
// logits. Each is a graph of its own that can be loaded alone, so that neither all weights nor all activations are in memory.

import { OctetteError } from "../../errors";
import { type Graph, type Input, type Node, producersOf, readsOf } from "../../graph/graph";
import type { Constant } from "../../graph/tensor";
import { inferTypes, type Registry } from "../../ops/infer";

/** Part of a graph between two of its values. */
export interface Block {
  /** The hidden state it begins with; undefined where it begins with the ids. */
  readonly from: string | undefined;
  readonly to: string;
  readonly graph: Graph<Constant>;
}

/** The value after layer i, 0 for the embedding, as every builder of decoders names it. */
const hiddenName = (i: number) => `hidden.${i}`;

/** Whether a graph has layers that can be told apart. */
export const hasBlocks = (graph: Graph<Constant>): boolean => producersOf(graph).has(hiddenName(0));

/** The blocks of a decoder, in order. */
export function blocksOf(graph: Graph<Constant>, registry: Registry): Block[] {
  const producers = producersOf(graph);
  const types = inferTypes(graph, registry);
  const cuts: string[] = [];
  while (producers.has(hiddenName(cuts.length))) cuts.push(hiddenName(cuts.length));
  const [output] = graph.outputs;
  if (cuts.length === 0 || output === undefined || graph.outputs.length > 1)
    throw new OctetteError("is no decoder whose layers can be told apart", {
      code: "unsupported",
      where: graph.name,
      expected: `one output, and a value ${hiddenName(0)}`,
    });
  return [...cuts, output].map((to, i) => {
    const from = cuts[i - 1];
    const input = from === undefined ? undefined : { name: from, ...types.get(from)! };
    return { from, to, graph: { ...between(graph, producers, input, [to]), name: `${graph.name} ${to}` } };
  });
}

/** The same block with other results: some of its values, and the nodes that compute them. */
export function withResults(block: Block, values: readonly string[]): Block {
  const input = block.graph.inputs.find(({ name }) => name === block.from);
  return { ...block, graph: between(block.graph, producersOf(block.graph), input, values) };
}

/** What makes values of `from` and of the graph's inputs. */
function between(
  graph: Graph<Constant>,
  producers: ReadonlyMap<string, Node>,
  from: Input | undefined,
  outputs: readonly string[],
): Graph<Constant> {
  const wanted = new Set<Node>();
  const read = new Set<string>();
  const open = [...outputs];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (read.has(value) || value === from?.name) continue;
    read.add(value);
    const node = producers.get(value);
    if (!node || wanted.has(node)) continue;
    wanted.add(node);
    open.push(...readsOf(node));
  }
  const others = graph.inputs.filter(({ name }) => read.has(name) && name !== from?.name);
  return {
    ...graph,
    inputs: from ? [...others, from] : others,
    outputs,
    nodes: graph.nodes.filter((node) => wanted.has(node)),
    constants: new Map([...graph.constants].filter(([name]) => read.has(name))),
    states: (graph.states ?? []).filter(({ name }) => read.has(name)),
  };
}
