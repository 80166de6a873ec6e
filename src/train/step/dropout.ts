// Dropout in a graph: kept while it is trained, gone where it is deployed. Over codes it leaves those that are kept as they are,
// so that behind it, while training, they stand for more by what was dropped.

import { type Graph, type Node, valueNames } from "../../graph/graph";
import { FreshNames } from "../../graph/names";
import type { Tensor } from "../../graph/tensor";
import type { ToolkitOps } from "../../ops/infer";
import { removeIdle } from "../../passes/remove-idle";
import { Rewrite } from "../../rewrite/changes";
import { toolkit } from "../../toolkit/toolkit";
import { factorOf } from "../ops/dropout";
import { movedFrom, scalesOf, withParameters, withScales } from "./quantization-groups";

const ratioOf = (node: Node, ops: ToolkitOps): number => ops[node.op]?.drops?.(node) ?? 0;

/** The codes that Dropout makes, in the order of the graph, and what part of them it drops. */
const droppedCodes = (graph: Graph, ops: ToolkitOps): { node: Node; codes: string; ratio: number }[] =>
  graph.nodes.flatMap((node) => {
    const ratio = ratioOf(node, ops);
    return node.codes?.output && ratio > 0 ? [{ node, codes: node.outputs[0]!, ratio }] : [];
  });

/** The graph in which the scale after each Dropout is a constant of its own, which can be another while training. */
export function withOwnScales(graph: Graph, ops = toolkit.ops): Graph {
  const names = new FreshNames(valueNames(graph));
  let now = graph;
  for (const { codes } of droppedCodes(graph, ops)) {
    const constants = new Map(now.constants);
    const own = new Map<string, string>();
    const ownOf = (scale: string): string => {
      let name = own.get(scale);
      if (name !== undefined) return name;
      name = names.fresh(`${codes}_scale`);
      own.set(scale, name);
      constants.set(name, constants.get(scale)!);
      return name;
    };
    now = { ...now, nodes: withScales(now, movedFrom(now, codes, ops), ownOf), constants };
  }
  return now;
}

/** The graph while it drops: scales behind Dropout are divided by the part that is kept. Biases stand for what they did. */
export function dropping(graph: Graph, ops: ToolkitOps): Graph {
  const factors = new Map<string, number>();
  for (const { codes, ratio } of droppedCodes(graph, ops))
    for (const scale of scalesOf(graph, movedFrom(graph, codes, ops)))
      factors.set(scale, (factors.get(scale) ?? 1) * factorOf(ratio));
  if (factors.size === 0) return graph;
  const moved = [...factors].map(([name, factor]) => {
    const scale = (graph.constants.get(name) as Tensor).data[0]!;
    const alone = { scale, zeroPoint: 0, scales: [name], zeroPoints: [], made: [] };
    return [alone, { scale: Math.fround(scale * factor), zeroPoint: 0 }] as const;
  });
  return withParameters(graph, moved);
}

/** The graph to deploy. */
export function withoutDropout(graph: Graph, ops = toolkit.ops): Graph {
  if (!graph.nodes.some((node) => ratioOf(node, ops) > 0)) return graph;
  const rewrite = new Rewrite(graph);
  for (const { node, codes } of droppedCodes(graph, ops))
    if (rewrite.rename(codes, node.inputs[0]!)) rewrite.replace(node);
  const bare = rewrite.done();
  const idle = bare.nodes.map((node) => (ratioOf(node, ops) > 0 ? { ...node, attributes: {} } : node));
  return removeIdle({ ...bare, nodes: idle }, ops);
}
