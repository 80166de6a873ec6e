// Split: consecutive parts along `axis`, of the sizes in `split` or of equal size.

import type { Node } from "../graph/graph";
import { addDims, type Dim, divideDims, type Shape } from "../graph/symbols";
import { dimsOf, normalizeAxis } from "./axes";
import { walkable } from "./copy";
import { inputType, numberOf, type Op, opError, type Traits } from "./op";
import { type Cut, cutKnown, lowerCuts, uncut } from "./slice";

/** The cuts of every part. */
function partsOf(node: Node, shape: Shape): Cut[][] {
  const axis = normalizeAxis(node, numberOf(node, "axis", 0), shape.length);
  let start: Dim = 0;
  return sizesOf(node, shape[axis]!).map((extent) => {
    const cuts = uncut(shape);
    cuts[axis] = { start, step: 1, extent };
    start = addDims(start, extent);
    return cuts;
  });
}

function sizesOf(node: Node, dim: Dim): readonly Dim[] {
  const count = node.outputs.length;
  const given = dimsOf(node, "split");
  const named = numberOf(node, "num_outputs", count);
  if (named !== count)
    throw opError(node, "num_outputs is not the number of its outputs", {
      expected: `${count}`,
      got: `${named}`,
    });
  const error = (expected: string) =>
    opError(node, "the parts do not make up the whole", { expected, got: `${dim}` });
  if (given) {
    const sum = given.reduce<Dim>(addDims, 0);
    if (given.length !== count || sum !== dim) throw error(`${count} parts of [${given.join(", ")}]`);
    return given;
  }
  const equal = divideDims(dim, count);
  if (equal !== undefined) return new Array<Dim>(count).fill(equal);
  // With num_outputs (opset 18) the last part may be smaller.
  if (typeof dim !== "number" || node.attributes.num_outputs === undefined)
    throw error(`${count} equal parts`);
  const size = Math.ceil(dim / count);
  if (size * (count - 1) > dim) throw error(`${count} parts of ${size}, the last one smaller`);
  return Array.from({ length: count }, (_, i) => (i < count - 1 ? size : dim - size * i));
}

export const split: Op = {
  inputs: 2,
  attributes: ["axis", "num_outputs"],
  parameters: { 1: "split" },
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return partsOf(node, x.shape).map((cuts) => ({ dtype: x.dtype, shape: cuts.map((cut) => cut.extent) }));
  },
  evaluate(node, [x]) {
    const parts = x && partsOf(node, x.shape).map((cuts) => cutKnown(x, cuts));
    return parts?.flatMap((part) => part ?? []);
  },
  rows: true,
  layout: (node, [layout]) => ({
    inputs: [walkable(layout)],
    outputs: node.outputs.map(() => walkable(layout)),
  }),
  lower({ node, inputs, outputs }, c) {
    for (const [i, cuts] of partsOf(node, c.type(inputs[0]!).shape).entries())
      if (outputs[i]) lowerCuts(node, c, outputs[i], inputs[0]!, cuts);
  },
};

export const splitTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  idle: (node) => node.outputs.length === 1,
};
