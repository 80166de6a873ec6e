// Whether a run can be cut into parts of a batch: only where every op says that it keeps rows apart.

import type { Graph, Node, ValueType } from "../graph/graph";
import { type Dim, divideDims, type Shape, symbolsOf } from "../graph/symbols";
import type { Constant } from "../graph/tensor";
import { opOf, type Registry } from "../ops/infer";
import type { Batched, Op } from "../ops/op";

/**
 * The axis along which a shape has the rows that a symbol counts, or so many times a number. −1 where no dimension depends on
 * the symbol, NaN where one does in another way, or two do.
 */
export function batchAxis(shape: Shape, symbol: string): number {
  const depends = (dim: Dim) => symbolsOf(dim).includes(symbol);
  const axis = shape.findIndex(depends);
  const isOne = shape.every((dim, i) => !depends(i === axis ? (divideDims(dim, symbol) ?? dim) : dim));
  return isOne ? axis : Number.NaN;
}

/** Whether a node computes each row of all its outputs from the same row of its inputs. */
export function keepsRows(
  { rows }: Op,
  node: Node,
  inputs: readonly Batched[],
  outputs: readonly Batched[],
): boolean {
  if (!rows || !outputs.every(({ axis }) => axis >= 0)) return false;
  if (rows !== true) return rows(node, inputs, outputs);
  return new Set([...inputs, ...outputs].flatMap(({ shape, axis }) => shape[axis] ?? [])).size === 1;
}

/**
 * The symbol that counts independent rows: the first dimension of inputs and outputs, but for those that do not depend on it.
 * Undefined where rows meet, as in a mean over the batch, or in a state.
 */
export function batchOf(
  graph: Graph<Constant>,
  types: ReadonlyMap<string, ValueType>,
  registry: Registry,
): string | undefined {
  const symbol = graph.inputs.map(({ shape: [first] }) => first).find((dim) => typeof dim === "string");
  if (symbol === undefined || graph.states?.length) return undefined;
  const batched = (value: string): Batched => {
    const shape = types.get(value)?.shape ?? [];
    return { shape, axis: batchAxis(shape, symbol) };
  };
  const ends = [...graph.inputs.map(({ name }) => name), ...graph.outputs];
  const isCut = ends.every((value) => batched(value).axis <= 0);
  /** Whether scales and zero points that are found at run time belong to the rows of the codes that they are of. */
  const keepsParameters = ({ inputs, codes }: Node): boolean =>
    (codes?.inputs ?? []).every((p, i) => {
      const names = p ? [p.scale, p.zeroPoint].filter((name) => types.has(name)) : [];
      const { shape, axis } = batched(inputs[i]!);
      return names.map(batched).every((own) => own.axis < 0 || own.shape[own.axis] === shape[axis]);
    });
  const keeps = (node: Node): boolean => {
    if (opOf(registry, node.op, node.name).act) return false;
    const inputs = node.inputs.map(batched);
    const outputs = node.outputs.filter(Boolean).map(batched);
    // Computed from what does not depend on the batch, a value without a batch axis does not either.
    const isConstant = [...inputs, ...outputs].every(({ axis }) => axis < 0);
    return (
      isConstant ||
      (keepsParameters(node) && keepsRows(opOf(registry, node.op, node.name), node, inputs, outputs))
    );
  };
  return isCut && graph.nodes.every(keeps) ? symbol : undefined;
}
