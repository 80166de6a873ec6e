// A model by layer, as it runs: what each one makes, its parameters and their bits, its multiply-adds. An activation that a layer
// does in its last step is part of it.

import type { Model } from "../engine/model";
import { consumersOf, type Graph, type Node } from "../graph/graph";
import { evaluateDim, type Shape } from "../graph/symbols";
import type { TypedArray } from "../graph/tensor";
import { inferTypes } from "../ops/infer";
import { toolkit } from "../toolkit/toolkit";

/** One layer of a model. */
export interface LayerFacts {
  readonly name: string;
  /** Its operator, and the activation in it: "Conv + Relu". */
  readonly op: string;
  readonly shape: Shape;
  readonly parameters: number;
  /** Bits that its weights need; 0 where it has none. */
  readonly bits: number;
  /** Multiply-adds for one sample. */
  readonly macs: number;
  /** Percentage of all multiply-adds. */
  readonly share: number;
}

/** Layers in the order in which they run. Those of nodes that a run decides about, such as loops, have no multiply-adds. */
export function layersOf(graph: Graph, model: Model): LayerFacts[] {
  const types = inferTypes(graph, toolkit.ops);
  const consumers = consumersOf(graph);
  const { steps, maxima } = model.plan;
  const macs = new Map<string, number>();
  for (const { node, macs: dim } of steps) macs.set(node, (macs.get(node) ?? 0) + evaluateDim(dim, maxima));
  const total = [...macs.values()].reduce((sum, n) => sum + n, 0);
  return graph.nodes
    .filter(({ name, graphs }) => macs.has(name) || graphs)
    .map((node) => {
      const output = node.outputs[0]!;
      const next = consumers.get(output);
      const activation =
        next?.length === 1 && !macs.has(next[0]!.name) && isClamp(next[0]!) ? next[0] : undefined;
      const constants = node.inputs.flatMap((input) => graph.constants.get(input) ?? []);
      // Scales, axes and bounds are no parameters.
      const own = constants.some(({ data }) => data.length > 1) ? constants : [];
      const weights = own.find(({ shape }) => shape.length > 1)?.data ?? own[0]?.data;
      const count = macs.get(node.name) ?? 0;
      return {
        name: node.name,
        op: `${node.op}${activationText(activation?.op, node.codes?.bounds)}`,
        shape: types.get(activation?.outputs[0] ?? output)?.shape ?? [],
        parameters: own.reduce((n, { data }) => n + data.length, 0),
        bits: weights ? bitsOf(weights) : 0,
        macs: count,
        share: total === 0 ? 0 : (100 * count) / total,
      };
    });
}

function activationText(op: string | undefined, bounds: NonNullable<Node["codes"]>["bounds"]): string {
  if (op) return ` + ${op}`;
  if (!bounds) return "";
  return bounds.lo === 0 && bounds.hi === Infinity ? " + Relu" : " + Clip";
}

const isClamp = (node: Node) => !node.codes && toolkit.ops[node.op]?.clamp?.(node) !== undefined;

/** The fewest bits, at least 2, that hold all codes; those of a float. */
function bitsOf(weights: TypedArray): number {
  if (weights instanceof Float32Array || weights instanceof Int32Array) return 32;
  let most = 1;
  for (const code of weights) most = Math.max(most, code < 0 ? -code - 1 : code);
  const bits = Math.ceil(Math.log2(most + 1));
  return Math.max(2, weights instanceof Uint8Array ? bits : bits + 1);
}
