// Dropout in a graph: kept while it is trained, gone where it is deployed. Over codes it leaves those that are kept as they are,
// so that behind it, while training, they stand for more by what was dropped.

import { type Graph, type Node, producersOf } from "../../graph/graph";
import type { Tensor } from "../../graph/tensor";
import { toolkitOps } from "../../ops/toolkit";
import { removeIdle } from "../../passes/remove-idle";
import { Rewrite } from "../../passes/rewrite";
import { factorOf } from "../ops/dropout";
import { nodesOf, withParameters } from "./quantization-groups";

const ratioOf = (node: Node): number => toolkitOps[node.op]?.drops?.(node) ?? 0;

/** The codes that Dropout makes in regions, in the order of the graph, and what part of them it drops. */
function droppedCodes(graph: Graph): { codes: string; ratio: number }[] {
  return graph.nodes.flatMap((node) => {
    const ratio = ratioOf(node);
    if (node.region === undefined || ratio === 0) return [];
    const quantize = nodesOf(graph, node.region).find(({ op }) => op === "QuantizeLinear");
    return quantize ? [{ codes: quantize.outputs[0]!, ratio }] : [];
  });
}

/** The nodes that say what codes stand for, and codes that are only moved from there: beginning with what makes them. */
function codersOf(graph: Graph, codes: string): Set<Node> {
  const found = new Set<Node>([producersOf(graph).get(codes)!]);
  for (const made of found) {
    if (made.op !== "QuantizeLinear") continue;
    for (const node of graph.nodes) {
      if (node.op !== "DequantizeLinear" || node.inputs[0] !== made.outputs[0]) continue;
      found.add(node);
      const region = node.region === undefined ? [] : nodesOf(graph, node.region);
      const quantize = region.find(({ op }) => op === "QuantizeLinear");
      if (quantize && region.some(({ op }) => toolkitOps[op]?.codes === "moves")) found.add(quantize);
    }
  }
  return found;
}

/** The graph in which the scale behind each Dropout is a constant of its own, which can be another while training. */
export function withOwnScales(graph: Graph): Graph {
  let now = graph;
  for (const { codes } of droppedCodes(graph)) {
    const coders = codersOf(now, codes);
    const constants = new Map(now.constants);
    const own = new Map<string, string>();
    const ownOf = (scale: string): string => {
      let name = own.get(scale);
      if (name !== undefined) return name;
      name = `${codes}_scale`;
      while (constants.has(name)) name += "'";
      own.set(scale, name);
      constants.set(name, constants.get(scale)!);
      return name;
    };
    const nodes = now.nodes.map((node) => {
      const [x, scale, ...rest] = node.inputs;
      return coders.has(node) ? { ...node, inputs: [x!, ownOf(scale!), ...rest] } : node;
    });
    now = { ...now, nodes, constants };
  }
  return now;
}

/** The graph while it drops: scales behind Dropout are divided by the part that is kept. Biases stand for what they did. */
export function dropping(graph: Graph): Graph {
  const factors = new Map<string, number>();
  for (const { codes, ratio } of droppedCodes(graph))
    for (const scale of new Set([...codersOf(graph, codes)].map(({ inputs }) => inputs[1]!)))
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
export function withoutDropout(graph: Graph): Graph {
  if (!graph.nodes.some((node) => ratioOf(node) > 0)) return graph;
  const rewrite = new Rewrite(graph);
  const producers = producersOf(graph);
  for (const { codes } of droppedCodes(graph)) {
    const nodes = nodesOf(graph, producers.get(codes)!.region!);
    const dequantize = nodes.find(({ op }) => op === "DequantizeLinear")!;
    if (!rewrite.rename(codes, dequantize.inputs[0]!)) continue;
    for (const node of nodes) rewrite.replace(node);
  }
  const bare = rewrite.done();
  const idle = bare.nodes.map((node) => (ratioOf(node) > 0 ? { ...node, attributes: {} } : node));
  return removeIdle({ ...bare, nodes: idle }, toolkitOps);
}
