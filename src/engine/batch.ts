// Whether a run can be cut into parts: only where row i of every value is computed from rows i of others.

import type { Graph, ValueType } from "../graph/graph";
import { divideDims, type Shape, symbolsOf } from "../graph/symbols";
import type { Constant } from "../graph/tensor";

/**
 * The symbol that counts rows: the first dimension of every input and output, and of every value between them (times
 * a number, where images are seen as more rows). Undefined where rows meet, as in a mean over the batch.
 */
export function batchOf(graph: Graph<Constant>, types: ReadonlyMap<string, ValueType>): string | undefined {
  const shapeOf = (value: string): Shape => types.get(value)?.shape ?? [];
  const symbol = graph.inputs[0]?.shape[0];
  const ends = [...graph.inputs.map(({ name }) => name), ...graph.outputs];
  if (typeof symbol !== "string" || ends.some((value) => shapeOf(value)[0] !== symbol)) return undefined;
  const computed = new Set(graph.inputs.map(({ name }) => name));
  for (const { op, inputs, outputs } of graph.nodes) {
    if (!inputs.some((input) => computed.has(input))) continue;
    for (const output of outputs) if (output !== "") computed.add(output);
    // Normalised over the last dimension, which in a vector is that of the rows.
    const isVector = (op === "Softmax" || op === "LogSoftmax") && shapeOf(inputs[0]!).length === 1;
    if (isVector || !outputs.every((output) => output === "" || isByRows(shapeOf(output), symbol)))
      return undefined;
  }
  return graph.inputs.every(({ shape }) => isByRows(shape, symbol)) ? symbol : undefined;
}

/** Whether a shape is of rows that a symbol counts, one behind the other. */
export const isByRows = ([first = 1, ...rest]: Shape, symbol: string): boolean =>
  divideDims(first, symbol) !== undefined && rest.every((dim) => !symbolsOf(dim).includes(symbol));
