// What a node holds, against what its op reads: a value or setting that nothing looks at would change the answer in silence.

import { nodesIn } from "../graph/bodies";
import type { Graph, Node } from "../graph/graph";
import type { Constant } from "../graph/tensor";
import type { Registry } from "./infer";
import { type Op, opError } from "./op";

/**
 * Checks one node, whose known parameters are attributes already.
 * @throws OctetteError "graph" that names an input or attribute its op does not read.
 */
export function checkReads(
  node: Node,
  { inputs = 1, parameters = {}, computable = [], attributes = [], finds, graphs = [] }: Op,
): void {
  if (node.inputs.length > inputs)
    throw opError(node, `input ${inputs} is unknown`, {
      expected: `at most ${inputs} inputs`,
      got: `"${node.inputs[inputs]}"`,
    });
  for (const [i, name] of Object.entries(parameters))
    if (node.inputs[Number(i)] && !computable.includes(Number(i)))
      throw opError(node, `${name} must be known before a run`, {
        expected: "a constant, or arithmetic over the shapes of inputs",
        got: `input "${node.inputs[Number(i)]}", which a run computes`,
        hint: `Export the model with constant ${name}; a graph of your own has it as an attribute`,
      });
  const own = Object.keys(node.graphs ?? {});
  if (own.some((name) => !graphs.includes(name)))
    throw opError(node, "its graphs are not those that the op runs", {
      expected: graphs.join(", ") || "none",
      got: own.join(", ") || "none",
    });
  const known = [...attributes, ...Object.values(parameters), ...(finds ? ["found"] : [])];
  const unknown = Object.keys(node.attributes).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw opError(node, `attribute ${unknown} is unknown`, { expected: known.join(", ") || "no attributes" });
}

/** As `checkReads`, of every node whose op is here: `inferTypes` lists the others. */
export function checkAllReads(graph: Graph<Constant>, registry: Registry): void {
  for (const node of nodesIn(graph))
    if (Object.hasOwn(registry, node.op)) checkReads(node, registry[node.op]!);
}
