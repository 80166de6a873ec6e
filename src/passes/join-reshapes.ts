// Brings everything that only gives elements another shape to one form: chains of Reshape, Flatten, Squeeze and
// Unsqueeze become one node, `[n, …] → [n, rest]` is Flatten, and shapes are written out. Exporters differ most here.

import type { Graph, Node } from "../graph/graph";
import { isFlattening, reshaped } from "../ops/compose";
import { sameShape } from "../ops/core/reshape";
import type { ToolkitOps } from "../ops/infer";
import { numberOf } from "../ops/op";
import { Rewrite } from "../rewrite/changes";

export function joinReshapes(graph: Graph, registry: ToolkitOps): Graph {
  const rewrite = new Rewrite(graph);
  const shapeOf = (value: string) => rewrite.type(value, registry).shape;
  const sources = new Map<string, string>();
  /** The value whose elements another one has, in the same order. */
  const sourceOf = (value: string) => sources.get(value) ?? value;
  for (const node of graph.nodes) {
    if (!registry[node.op]?.reshapes || node.codes || node.inputs.length !== 1) continue;
    const output = node.outputs[0]!;
    const source = sourceOf(node.inputs[0]!);
    const shape = shapeOf(output);
    const around = rowsOf(node, rewrite, registry, sourceOf);
    if (around) {
      rewrite.replace(around.softmax, {
        ...around.softmax,
        inputs: [around.source],
        outputs: [output],
        attributes: { axis: -1 },
      });
      // Values between are no more: what reshapes the result again begins with it.
      rewrite.replace(node);
      continue;
    }
    sources.set(output, source);
    const from = shapeOf(source);
    if (sameShape(from, shape)) {
      if (rewrite.rename(output, source)) rewrite.replace(node);
      continue;
    }
    const isJoined = source !== node.inputs[0];
    // Squeeze and Unsqueeze stay what they are by themselves.
    const isOwn = !isJoined && !isFlattening(from, shape) && node.attributes.axes !== undefined;
    const next = isOwn ? node : { ...node, ...reshaped(source, from, shape) };
    if (
      isJoined ||
      next.op !== node.op ||
      JSON.stringify(next.attributes) !== JSON.stringify(node.attributes)
    )
      rewrite.replace(node, next);
  }
  return rewrite.done();
}

/** Softmax over rows between a reshape and its inverse, as opsets before 13 need it. */
function rowsOf(
  node: Node,
  rewrite: Rewrite,
  registry: ToolkitOps,
  sourceOf: (value: string) => string,
): { softmax: Node; source: string } | undefined {
  const softmax = rewrite.soleProducer(node.inputs[0]);
  if (!softmax || !registry[softmax.op]?.softmax) return undefined;
  const shapeOf = (value: string) => rewrite.type(value, registry).shape;
  const rows = shapeOf(softmax.inputs[0]!);
  const axis = numberOf(softmax, "axis", -1);
  const source = sourceOf(softmax.inputs[0]!);
  const shape = shapeOf(source);
  const fits =
    source !== softmax.inputs[0] &&
    (axis === -1 || axis === rows.length - 1) &&
    rows.at(-1) === shape.at(-1) &&
    sameShape(shape, shapeOf(node.outputs[0]!));
  return fits ? { softmax, source } : undefined;
}
