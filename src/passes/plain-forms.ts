// Nodes that no kernel computes as they are, written with ops that have one: each op's room has its rule. Among them are products with
// known matrices as layers, all that Gemm can be, arithmetic on integers, and forms of one thing that become one.

import type { Graph } from "../graph/graph";
import { inferTypes, type ToolkitOps } from "../ops/infer";
import { Rewrite } from "../rewrite/changes";

export function plainForms(graph: Graph, registry: ToolkitOps): Graph {
  const types = inferTypes(graph, registry);
  const rewrite = new Rewrite(graph);
  for (const node of graph.nodes) if (!node.codes) registry[node.op]?.plain?.(node, rewrite, types);
  return rewrite.done();
}
