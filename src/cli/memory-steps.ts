// What a model keeps in memory from step to step: the values that a later step still reads.

import type { Model } from "../engine/model";
import type { Graph } from "../graph/graph";
import { evaluateShape, symbolsOf } from "../graph/symbols";
import { bytesPerElement, sizeOf } from "../graph/tensor";
import { inferTypes } from "../ops/infer";
import { toolkit } from "../toolkit";

/** The values that are in memory while a layer runs. */
export interface MemoryStep {
  readonly node: string;
  /** Bytes of all of them, for one sample. */
  readonly bytes: number;
  readonly values: readonly { readonly value: string; readonly bytes: number }[];
}

/** By layer, in the order in which they run. Nodes without a step are part of the one before. */
export function memorySteps(graph: Graph, { plan }: Model): MemoryStep[] {
  const types = inferTypes(graph, toolkit.ops);
  const runs = new Set(plan.steps.map(({ node }) => node));
  const steps: string[] = [];
  const born = new Map<string, number>();
  const dies = new Map<string, number>();
  const at = () => Math.max(0, steps.length - 1);
  for (const { name } of graph.inputs) born.set(name, 0);
  for (const node of graph.nodes) {
    if (runs.has(node.name)) steps.push(node.name);
    for (const value of node.inputs) if (born.has(value)) dies.set(value, at());
    for (const value of node.outputs) born.set(value, at());
  }
  for (const value of graph.outputs) dies.set(value, at());
  const bytesOf = (value: string) => {
    const type = types.get(value) ?? graph.inputs.find(({ name }) => name === value);
    const isKnown = type?.shape.flatMap(symbolsOf).every((symbol) => symbol in plan.maxima);
    return type && isKnown ? sizeOf(evaluateShape(type.shape, plan.maxima)) * bytesPerElement[type.dtype] : 0;
  };
  const lives = [...born].flatMap(([value, first]) => {
    const last = dies.get(value);
    return last === undefined ? [] : [{ value, first, last, bytes: bytesOf(value) }];
  });
  return steps.map((node, i) => {
    const values = lives
      .filter(({ first, last, bytes }) => first <= i && i <= last && bytes > 0)
      .map(({ value, bytes }) => ({ value, bytes }));
    return { node, bytes: values.reduce((sum, { bytes }) => sum + bytes, 0), values };
  });
}
