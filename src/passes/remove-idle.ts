// Removes nodes that give back their input, as their ops say: a Cast to the dtype there is, pads of nothing, and the like. Two
// Transposes in a row become one. Names of the graph's inputs and outputs stay: where both ends of such a
// node have one, it stays too.

import type { Graph, Node } from "../graph/graph";
import type { ToolkitOps } from "../ops/infer";
import { numbersOf } from "../ops/op";
import { Rewrite } from "./rewrite";

function permutation(node: Node): readonly number[] | undefined {
  return node.attributes.perm === undefined ? undefined : numbersOf(node, "perm", []);
}

export function removeIdle(graph: Graph, registry: ToolkitOps): Graph {
  const rewrite = new Rewrite(graph);
  const type = (value: string) => rewrite.type(value, registry);
  for (const node of graph.nodes) {
    const op = registry[node.op];
    if (node.region !== undefined || !op?.idle) continue;
    const [input, output] = [node.inputs[0]!, node.outputs[0]!];
    if (node.outputs.slice(1).some((other) => other !== "" && rewrite.readings(other) > 0)) continue;
    if (op.idle(node, type(input), type(output))) {
      if (rewrite.rename(output, input)) rewrite.replace(node);
      continue;
    }
    const joined = node.op === "Transpose" ? joinTransposes(node, rewrite) : undefined;
    if (joined) rewrite.replace(node, joined);
  }
  return rewrite.done();
}

/** z's dimension i is y's perm[i], which is x's before[perm[i]]. */
function joinTransposes(node: Node, rewrite: Rewrite): Node | undefined {
  const inner = rewrite.producer(node.inputs[0], "Transpose");
  const [before, after] = [inner && permutation(inner), permutation(node)];
  if (!inner || inner.region !== undefined || !before || !after) return undefined;
  return { ...node, inputs: inner.inputs, attributes: { perm: after.map((axis) => before[axis]!) } };
}
