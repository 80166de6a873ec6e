// Branches of an If that make values of other ranks: what later nodes make of these is computed in each branch, where its type is known.

import { withBodies } from "../graph/bodies";
import { type Graph, type Node, readsOf, valueNames } from "../graph/graph";
import { FreshNames } from "../graph/names";
import { type Registry, resultsOf } from "../ops/infer";
import { inlineBody } from "./bodies";

/** Inputs whose types folding finds. */
const untyped = (names: readonly string[]): Graph["inputs"] =>
  names.map((name) => ({ name, dtype: "f32", shape: [] }));

/**
 * The nodes after one whose branches make values of other ranks, then that node with all nodes in its branches that these lead to;
 * undefined where there is none to move.
 */
export function continued(
  node: Node,
  later: readonly Node[],
  outputs: readonly string[],
  registry: Registry,
): Node[] | undefined {
  const results = Object.values(resultsOf(node.graphs!, registry));
  const ranks = results.map((types) => `${types.map(({ shape }) => shape.length)}`);
  if (ranks.every((all) => all === ranks[0])) return undefined;
  const made = new Set(node.outputs);
  const [moved, left]: [Node[], Node[]] = [[], []];
  for (const one of later) {
    const isMoved = readsOf(one).some((value) => made.has(value));
    (isMoved ? moved : left).push(one);
    if (isMoved) for (const output of one.outputs) made.add(output);
  }
  if (moved.length === 0) return undefined;
  const ends = [...new Set(outputs)].filter((output) => made.has(output));
  const captured = [...new Set(moved.flatMap(readsOf))].filter((value) => !made.has(value));
  const inputs = untyped([...node.outputs, ...captured]);
  const tail = { name: "", inputs, constants: new Map(), provenance: {}, nodes: moved, outputs: ends };
  const whole = withBodies(node, (body) => {
    const values = new FreshNames(valueNames(body));
    const given = captured.map((value) => values.fresh(value));
    const outputs = ends.map((value) => values.fresh(value));
    const inputs = [...body.outputs.slice(0, node.outputs.length), ...given];
    const names = new FreshNames(body.nodes.map(({ name }) => name));
    const { nodes } = inlineBody({ ...node, inputs, outputs }, tail, values, names);
    return {
      ...body,
      outputs,
      inputs: [...body.inputs, ...untyped(given)],
      nodes: [...body.nodes, ...nodes],
    };
  });
  return [...left, { ...whole, inputs: [...node.inputs, ...captured], outputs: ends }];
}
