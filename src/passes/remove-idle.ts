// Removes nodes that give back their input: Identity, Dropout of nothing, a Cast to the dtype there is, pads of nothing, and the
// like. Two Transposes in a row become one. Names of the graph's inputs and outputs stay: where both ends of such a
// node have one, it stays too.

import type { Graph, Node, ValueType } from "../graph/graph";
import { dimsOf } from "../ops/axes";
import type { Registry } from "../ops/infer";
import { numberOf, numbersOf } from "../ops/op";
import { sameShape } from "../ops/reshape";
import { Rewrite } from "./rewrite";

/** Whether a node's first output is its first input, element by element. */
const isIdle: Readonly<Record<string, (node: Node, x: ValueType, y: ValueType) => boolean>> = {
  Identity: () => true,
  Dropout: (node) => numberOf(node, "ratio", 0) === 0,
  Cast: ({ attributes }, x) => x.dtype === attributes.to,
  Concat: (node) => node.inputs.length === 1,
  Expand: (_, x, y) => sameShape(x.shape, y.shape),
  Pad: (node) => dimsOf(node, "pads")?.every((pad) => pad === 0) ?? false,
  Slice: (node, x, y) =>
    sameShape(x.shape, y.shape) && (dimsOf(node, "steps")?.every((step) => step === 1) ?? true),
  Split: (node) => node.outputs.length === 1,
  Transpose: (node) => permutation(node)?.every((axis, i) => axis === i) ?? false,
};

function permutation(node: Node): readonly number[] | undefined {
  return node.attributes.perm === undefined ? undefined : numbersOf(node, "perm", []);
}

export function removeIdle(graph: Graph, registry: Registry): Graph {
  const rewrite = new Rewrite(graph);
  const type = (value: string) => rewrite.type(value, registry);
  for (const node of graph.nodes) {
    if (node.region !== undefined || !Object.hasOwn(isIdle, node.op)) continue;
    const [input, output] = [node.inputs[0]!, node.outputs[0]!];
    if (node.outputs.slice(1).some((other) => other !== "" && rewrite.readings(other) > 0)) continue;
    if (isIdle[node.op]!(node, type(input), type(output))) {
      if (rewrite.rename(output, input)) rewrite.replace(node);
      continue;
    }
    const joined = node.op === "Transpose" ? joinTransposes(node, rewrite) : undefined;
    if (joined) rewrite.replace(node, joined);
  }
  return rewrite.done();
}

/** z's dimension i is y's perm[i], which is x's before[perm[i]]. */
function joinTransposes(node: Node, rewrite: Rewrite): Node | undefined {
  const inner = rewrite.producer(node.inputs[0], "Transpose");
  const [before, after] = [inner && permutation(inner), permutation(node)];
  if (!inner || inner.region !== undefined || !before || !after) return undefined;
  return { ...node, inputs: inner.inputs, attributes: { perm: after.map((axis) => before[axis]!) } };
}
