// What activations are before they become codes: layers tell it of their sums, everything else is done once more in floats,
// on the numbers that the codes it reads stand for.

import type { Graph, Node } from "../../graph/graph";
import { clamped } from "../../ops/compose";
import { isLayer } from "../../ops/linear-layer";
import { toolkitOps } from "../../ops/toolkit";
import { GraphWriter } from "../../rewrite/graph-writer";
import type { Backward } from "../gradients/rule";
import type { Shared } from "./quantization-groups";

/** Whether sums, or the floats themselves, are at hand where the codes are made. */
const isAtHand = (node: Node): boolean => !node.codes || isLayer(node, toolkitOps);

/** Writes an integer layer again, over the numbers that its codes stand for; returns the result before it becomes codes. */
export function writeReal({ op, inputs, attributes, codes }: Node, write: Backward["write"]): string {
  const { inputs: parameters, bounds } = codes!;
  const reals = inputs.map((value, i) => {
    const p = parameters[i];
    if (!p) return value;
    const read = p.zeroPoint === "" ? [value, p.scale] : [value, p.scale, p.zeroPoint];
    return write("DequantizeLinear", read, p.axis === undefined ? {} : { axis: p.axis })[0];
  });
  const [y] = write(op, reals, attributes);
  if (!bounds) return y;
  const clip = clamped(y, bounds);
  return write(clip.op, clip.inputs, clip.attributes)[0];
}

export interface Observed {
  readonly graph: Graph;
  /** Of every set of values that share parameters: their ranges, each two numbers a sample. */
  readonly ranges: readonly (readonly string[])[];
}

/** The graph with nodes that find the range of every value that is quantized. */
export function observed(graph: Graph, all: readonly Shared[]): Observed {
  const writer = new GraphWriter(graph);
  const ranges = new Map(
    all.flatMap(({ made }) => made.map((codes) => [codes, writer.fresh(`${codes}_range`)] as const)),
  );
  for (const node of graph.nodes) {
    const [codes] = node.outputs as [string];
    const range = ranges.get(codes);
    if (range === undefined || !isAtHand(node)) writer.nodes.push(node);
    else writer.nodes.push({ ...node, outputs: [codes, "", range] });
    if (range === undefined || isAtHand(node)) continue;
    const real = writeReal(node, (op, inputs, attributes) => {
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
