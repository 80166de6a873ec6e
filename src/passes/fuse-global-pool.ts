// ReduceMean over height and width is GlobalAveragePool, followed by Flatten where the dimensions are not kept. One
// exporter of PyTorch writes the one, the other the other.

import type { Graph } from "../graph/graph";
import { normalizeAxis } from "../ops/axes";
import type { ToolkitOps } from "../ops/infer";
import { numberOf, numbersOf } from "../ops/op";
import { Rewrite } from "./rewrite";

export function fuseGlobalPool(graph: Graph, registry: ToolkitOps): Graph {
  const rewrite = new Rewrite(graph);
  for (const node of graph.nodes) {
    if (node.op !== "ReduceMean" || node.region !== undefined || node.inputs.length !== 1) continue;
    const { shape, dtype } = rewrite.type(node.inputs[0]!, registry);
    const axes = new Set(numbersOf(node, "axes", []).map((axis) => normalizeAxis(node, axis, shape.length)));
    if (shape.length !== 4 || dtype !== "f32" || axes.size !== 2 || !axes.has(2) || !axes.has(3)) continue;
    const pool = { ...node, op: "GlobalAveragePool", attributes: {} };
    if (numberOf(node, "keepdims", 1) !== 0) {
      rewrite.replace(node, pool);
      continue;
    }
    const pooled = rewrite.fresh(`${node.outputs[0]}_map`);
    rewrite.replace(
      node,
      { ...pool, outputs: [pooled] },
      {
        op: "Flatten",
        name: rewrite.fresh(`${node.name}_flatten`),
        inputs: [pooled],
        outputs: node.outputs,
        attributes: { axis: 1 },
      },
    );
  }
  return rewrite.done();
}
