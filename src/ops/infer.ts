// Types of all values of a graph, found by walking it once. Nothing about types is believed from a file.

import { OctetteError } from "../errors";
import type { Graph, ValueType } from "../graph/graph";
import type { Op } from "./op";

export type Registry = Readonly<Record<string, Op>>;

/** The op of a node, or an error that names what is missing. */
export function opOf(registry: Registry, name: string, node: string): Op {
  const op = Object.hasOwn(registry, name) ? registry[name] : undefined;
  if (!op)
    throw new OctetteError(`operator ${name} is not in this runtime`, {
      code: "unsupported",
      where: `node "${node}"`,
      hint: `Add it: createRuntime({ …, ${name} }) with its export of octette/ops, or take load, which has all ops`,
    });
  return op;
}

/** Type of every input, constant and computed value. */
export function inferTypes(graph: Graph, registry: Registry): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const { name, dtype, shape } of graph.inputs) types.set(name, { dtype, shape });
  for (const [name, { dtype, shape }] of graph.constants) types.set(name, { dtype, shape });
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((input) => {
      const type = types.get(input);
      if (input !== "" && !type)
        throw new OctetteError(`input "${input}" is produced by no earlier node`, {
          code: "graph",
          where: `${node.op} "${node.name}"`,
        });
      return type;
    });
    const outputs = opOf(registry, node.op, node.name).infer(node, inputs);
    node.outputs.forEach((output, i) => {
      if (output !== "" && outputs[i]) types.set(output, outputs[i]);
    });
  }
  return types;
}
