// Types of all values of a graph, found by walking it once. Nothing about types is believed from a file.

import { OctetteError } from "../errors";
import { type Graph, type Node, readsOf, type ValueType } from "../graph/graph";
import { formatShape, MAX_RANK } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import { type GraphTypes, type Op, opError, type Traits } from "./op";
import type { PlainRule } from "./steps";

/** Ops by the names that graphs have for them. */
export type Registry = Readonly<Record<string, Op>>;
/** Ops of models, as the toolkit knows them. */
export type ToolkitOps = Readonly<Record<string, Op & Traits & { readonly plain?: PlainRule | undefined }>>;

/** The op of a node, or an error that names the missing op. */
export function opOf(registry: Registry, name: string, node: string): Op {
  if (!Object.hasOwn(registry, name)) throw lacking([name], `node "${node}"`);
  return registry[name]!;
}

function lacking(ops: readonly string[], where: string): OctetteError {
  const names = ops.join(", ");
  return new OctetteError(`operators that are not in this runtime: ${names}`, {
    code: "unsupported",
    where,
    hint: `Add what octette/ops exports under these names: createRuntime({ …, ${names} }), or take load, which has all ops`,
  });
}

/**
 * Types of a node's outputs, of the types of earlier values. An integer layer has those of its op over the numbers that its
 * codes stand for. Throws where one has more than MAX_RANK dimensions, since a chain of nodes could add one each, or a negative
 * dimension.
 */
export function outputTypes(
  node: Node,
  op: Op,
  typeOf: (value: string) => ValueType | undefined,
  registry: Registry,
): readonly ValueType[] {
  const { codes } = node;
  const inputs = node.inputs.map((value, i) => {
    const type = typeOf(value);
    return type && codes?.inputs[i] ? ({ dtype: "f32", shape: type.shape } as const) : type;
  });
  const [first, ...others] = op.infer(node, inputs, node.graphs && resultsOf(node.graphs, registry));
  const dtype = codes?.output && (typeOf(codes.output.zeroPoint)?.dtype ?? "u8");
  const types = first ? [dtype ? { ...first, dtype } : first, ...others] : [];
  for (const { shape } of types) {
    if (shape.length > MAX_RANK)
      throw opError(node, "too many dimensions", { expected: `at most MAX_RANK = ${MAX_RANK}` });
    if (shape.some((dim) => typeof dim === "number" && dim < 0))
      throw opError(node, "a dimension is negative", { expected: "dimensions ≥ 0", got: formatShape(shape) });
  }
  return types;
}

/** Types of the outputs of graphs, by the names of the graphs. */
export const resultsOf = (
  graphs: Readonly<Record<string, Graph<Constant>>>,
  registry: Registry,
): GraphTypes =>
  Object.fromEntries(
    Object.entries(graphs).map(([name, body]) => {
      const types = inferTypes(body, registry);
      return [name, body.outputs.map((output) => types.get(output)!)];
    }),
  );

/** Type of every input, constant and computed value. Throws one OctetteError that lists every op the registry lacks. */
export function inferTypes(graph: Graph<Constant>, registry: Registry): Map<string, ValueType> {
  const lacked = graph.nodes.map(({ op }) => op).filter((op) => !Object.hasOwn(registry, op));
  if (lacked.length > 0) throw lacking([...new Set(lacked)].sort(), graph.name);
  const types = new Map<string, ValueType>();
  for (const { name, dtype, shape } of graph.inputs) types.set(name, { dtype, shape });
  for (const [name, { dtype, shape }] of graph.constants) types.set(name, { dtype, shape });
  for (const { name, dtype, shape } of graph.states ?? []) types.set(name, { dtype, shape });
  for (const node of graph.nodes) {
    for (const value of readsOf(node))
      if (!types.has(value))
        throw new OctetteError(`input "${value}" is produced by no earlier node`, {
          code: "graph",
          where: `${node.op} "${node.name}"`,
        });
    const outputs = outputTypes(
      node,
      opOf(registry, node.op, node.name),
      (value) => types.get(value),
      registry,
    );
    node.outputs.forEach((output, i) => {
      if (output !== "" && outputs[i]) types.set(output, outputs[i]);
    });
  }
  return types;
}
