// Removes nodes that give back their input, as their ops say: a Cast to the dtype there is, pads of nothing, and the like. Names of
// the graph's inputs and outputs stay: where both ends of such a node have one, it stays too.

import type { Graph } from "../graph/graph";
import type { ToolkitOps } from "../ops/infer";
import { Rewrite } from "../rewrite/changes";

export function removeIdle(graph: Graph, registry: ToolkitOps): Graph {
  const rewrite = new Rewrite(graph);
  const type = (value: string) => rewrite.type(value, registry);
  for (const node of graph.nodes) {
    const op = registry[node.op];
    if (node.codes || !op?.idle) continue;
    const [input, output] = [node.inputs[0]!, node.outputs[0]!];
    if (node.outputs.slice(1).some((other) => other !== "" && rewrite.readings(other) > 0)) continue;
    if (op.idle(node, type(input), type(output))) {
      if (rewrite.rename(output, input)) rewrite.replace(node);
    }
  }
  return rewrite.done();
}
