// Split: consecutive parts along `axis`, of the sizes in `split` or of equal size.

import type { Node } from "../../graph/graph";
import {
  addDims,
  ceilDims,
  type Dim,
  divideDims,
  floorDims,
  multiplyDims,
  type Shape,
  subtractDims,
} from "../../graph/symbols";
import { dimsOf, normalizeAxis } from "../axes";
import { walkable } from "../copy";
import { mayEqual, needEqual } from "../equal";
import { inputType, numberOf, type Op, opError, type Traits } from "../op";
import { type Cut, cutKnown, lowerCuts, uncut } from "./slice";

const axisOf = (node: Node, { length }: Shape) => normalizeAxis(node, numberOf(node, "axis", 0), length);

/** The cuts of every part. */
function partsOf(node: Node, shape: Shape): Cut[][] {
  const axis = axisOf(node, shape);
  let start: Dim = 0;
  return sizesOf(node, shape[axis]!).map((extent) => {
    const cuts = uncut(shape);
    cuts[axis] = { start, step: 1, extent };
    start = addDims(start, extent);
    return cuts;
  });
}

/** What the parts are together along an axis. */
const wholeOf = (parts: readonly (readonly Cut[])[], axis: number) =>
  parts.reduce<Dim>((sum, cuts) => addDims(sum, cuts[axis]!.extent), 0);

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
    const isBelow0 = given.some((extent) => typeof extent === "number" && extent < 0);
    if (given.length !== count || isBelow0 || !mayEqual(sum, dim))
      throw error(`${count} parts of [${given.join(", ")}]`);
    return given;
  }
  const equal = divideDims(dim, count);
  if (equal !== undefined) return new Array<Dim>(count).fill(equal);
  // With num_outputs (opset 18) the last part may be smaller.
  const isUneven = node.attributes.num_outputs !== undefined;
  if (typeof dim === "number" && !isUneven) throw error(`${count} equal parts`);
  const size = isUneven ? ceilDims(dim, count) : floorDims(dim, count);
  const last = subtractDims(dim, multiplyDims(size, count - 1));
  if (typeof last === "number" && last < 0) throw error(`${count} parts of ${size}, the last one smaller`);
  return Array.from({ length: count }, (_, i) => (isUneven && i === count - 1 ? last : size));
}

export const split: Op = {
  inputs: 2,
  attributes: ["axis", "num_outputs"],
  parameters: { 1: "split" },
  open: [1],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return partsOf(node, x.shape).map((cuts) => ({ dtype: x.dtype, shape: cuts.map((cut) => cut.extent) }));
  },
  rows: true,
  layout: (node, [layout]) => ({
    inputs: [walkable(layout)],
    outputs: node.outputs.map(() => walkable(layout)),
  }),
  lower({ node, inputs, outputs }, c) {
    const { shape } = c.type(inputs[0]!);
    const parts = partsOf(node, shape);
    const axis = axisOf(node, shape);
    needEqual(c, wholeOf(parts, axis), shape[axis]!);
    for (const cuts of parts) c.needsSize(cuts[axis]!.extent);
    for (const [i, cuts] of parts.entries()) if (outputs[i]) lowerCuts(node, c, outputs[i], inputs[0]!, cuts);
  },
};

export const splitTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  natural(node, [shape = []]) {
    const parts = partsOf(node, shape);
    const axis = axisOf(node, shape);
    const rest = subtractDims(shape[axis]!, wholeOf(parts, axis));
    return [...parts.map((cuts) => cuts[axis]!.extent), rest, multiplyDims(rest, -1)];
  },
  idle: (node) => node.outputs.length === 1,
  evaluate(node, [x]) {
    if (!x) return undefined;
    const parts = partsOf(node, x.shape);
    const axis = axisOf(node, x.shape);
    // Parts that a run may find to be more or less than the whole are left to it.
    if (wholeOf(parts, axis) !== x.shape[axis]) return undefined;
    const known = parts.map((cuts) => cutKnown(x, cuts));
    return known.every((part) => part !== undefined) ? known : undefined;
  },
};
