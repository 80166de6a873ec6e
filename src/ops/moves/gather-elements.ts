// GatherElements: each element of the output is one of the input, at its own place but for `axis`, where an index says which. Indices
// are read as those of Gather; where they reach less far than the input along another axis, so does the output.

import type { Node, ValueType } from "../../graph/graph";
import {
  addDims,
  countOf,
  type Dim,
  formatShape,
  multiplyDims,
  type Shape,
  subtractDims,
} from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { normalizeAxis } from "../axes";
import { emitCopy } from "../copy";
import { sameShape } from "../core/reshape";
import { type Batched, inputType, type Lowering, numberOf, type Op, opError, type Traits } from "../op";
import { checkConstantIndices, indexType, loopsOfPart } from "./indices";

/** The axis that indices go through. */
export const indexedAxis = (node: Node, { length }: Shape): number =>
  normalizeAxis(node, numberOf(node, "axis", 0), length);

/** The part of an array that indices of a shape reach, if it is along all axes but one no longer than the array, or symbols say. */
export function reachOf(node: Node, x: Shape, indices: Shape, axis: number): Shape {
  const isWithin = (dim: Dim, i: number) =>
    i === axis || typeof dim === "string" || typeof x[i] === "string" || dim <= x[i]!;
  if (indices.length === x.length && indices.every(isWithin)) return indices.with(axis, x[axis]!);
  throw opError(node, "its indices do not fit", {
    expected: `a shape within ${formatShape(x)} along all axes but ${axis}`,
    got: formatShape(indices),
  });
}

/** Refuses runs in which a value has elements though indices reach further than an array. */
export function needReach(c: Lowering, reach: Shape, shape: Shape, value: string): void {
  for (const [i, dim] of reach.entries())
    if (dim !== shape[i]) c.needs(addDims(subtractDims(shape[i]!, dim), 1), value);
}

/** Rows are apart where both have them on one axis, which no index goes through. */
export const keepsRows = (node: Node, [x, indices]: readonly Batched[]): boolean =>
  x!.axis === indices!.axis && x!.axis !== indexedAxis(node, x!.shape);

/** ONNX GatherElements-13. */
export const gatherElements: Op = {
  inputs: 2,
  attributes: ["axis"],
  infer(node, inputs): readonly ValueType[] {
    const x = inputType(node, inputs, 0);
    const { shape } = indexType(node, inputs, 1);
    reachOf(node, x.shape, shape, indexedAxis(node, x.shape));
    return [{ dtype: x.dtype, shape }];
  },
  rows: keepsRows,
  lower({ node, inputs: [x = "", indices = ""], outputs: [y = ""] }, c) {
    const { dtype, shape } = c.type(x);
    const { shape: picked } = c.type(indices);
    const axis = indexedAxis(node, shape);
    const extent = shape[axis]!;
    checkConstantIndices(node, c, indices, [extent]);
    c.needs(extent, y);
    const reach = reachOf(node, shape, picked, axis);
    needReach(c, reach, shape, y);
    const size = bytesPerElement[dtype];
    const to = c.output(y);
    let from = c.input(x);
    if (!sameShape(reach, shape)) {
      const part = c.temporary(multiplyDims(countOf(reach), size));
      emitCopy(node, c, dtype, part, from, loopsOfPart(shape, reach));
      from = part;
    }
    const [count, inner] = [picked[axis]!, countOf(picked.slice(axis + 1))];
    const rows = multiplyDims(countOf(picked.slice(0, axis)), count);
    c.emit("gatherElements", [to, from, c.input(indices), size, extent, count, inner], rows);
  },
};

export const gatherElementsTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
