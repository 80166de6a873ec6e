// What activations are before they become codes: layers tell it of their sums, everything else is done once more in floats,
// on the numbers that the codes it reads stand for.

import type { Graph, Node } from "../../graph/graph";
import { isLinear } from "../../ops/linear-layer";
import { GraphWriter } from "../../passes/graph-writer";
import type { Backward } from "../gradients/rule";
import { nodesOf, type Shared } from "./quantization-groups";

/** Whether sums, or the floats themselves, are at hand where the codes are made. */
const isAtHand = (graph: Graph, { region }: Node): boolean =>
  region === undefined || nodesOf(graph, region).some(isLinear);

/** Writes the nodes of a region again, in floats and without its QuantizeLinear; returns the result. */
export function writeReal(graph: Graph, region: string, write: Backward["write"]): string {
  const names = new Map<string, string>();
  let last = "";
  for (const { op, inputs, outputs, attributes } of nodesOf(graph, region)) {
    if (op === "QuantizeLinear") continue;
    const [value] = write(
      op,
      inputs.map((input) => names.get(input) ?? input),
      attributes,
    );
    names.set(outputs[0]!, value);
    last = value;
  }
  return last;
}

export interface Observed {
  readonly graph: Graph;
  /** Of every set of values that share parameters: their ranges, each two numbers a sample. */
  readonly ranges: readonly (readonly string[])[];
}

/** The graph that also finds the range of whatever becomes codes. */
export function observed(graph: Graph, all: readonly Shared[]): Observed {
  const writer = new GraphWriter(graph);
  const ranges = new Map(
    all.flatMap(({ made }) => made.map((codes) => [codes, writer.fresh(`${codes}_range`)] as const)),
  );
  for (const node of graph.nodes) {
    const [codes] = node.outputs as [string];
    const range = node.op === "QuantizeLinear" ? ranges.get(codes) : undefined;
    if (range === undefined || !isAtHand(graph, node)) writer.nodes.push(node);
    else writer.nodes.push({ ...node, outputs: [codes, "", range] });
    if (range === undefined || isAtHand(graph, node)) continue;
    const real = writeReal(graph, node.region!, (op, inputs, attributes) => {
      const name = `${range}:${op}`;
      return [writer.add(op, name, inputs, [writer.fresh(name)], attributes)];
    });
    writer.add("Extremes", range, [real], [range]);
  }
  return {
    graph: { ...writer.done(), constants: graph.constants },
    ranges: all.map(({ made }) => made.map((codes) => ranges.get(codes)!)),
  };
}
