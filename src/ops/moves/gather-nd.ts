// GatherND: slices of the input, each picked by a tuple of indices along the first axes, after `batch_dims` axes that indices have, too.
// Indices are read as those of Gather.

import type { Node, ValueType } from "../../graph/graph";
import { countOf, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { mayBeSame, needSame } from "../equal";
import {
  type Address,
  type Batched,
  inputType,
  type Lowering,
  numberOf,
  type Op,
  opError,
  type Traits,
} from "../op";
import { checkConstantIndices, indexType } from "./indices";

/** Axes of the batch, those that tuples go through, and tuples and slices of a batch. */
export interface Tuples {
  readonly batch: Shape;
  readonly extents: Shape;
  readonly tuples: Shape;
  readonly slice: Shape;
}

export function tuplesOf(node: Node, x: Shape, indices: Shape): Tuples {
  const batchDims = numberOf(node, "batch_dims", 0);
  const depth = indices.at(-1);
  const isBatch =
    Number.isInteger(batchDims) && batchDims >= 0 && batchDims < Math.min(x.length, indices.length);
  if (!isBatch || !mayBeSame(x.slice(0, batchDims), indices.slice(0, batchDims)))
    throw opError(node, "batch_dims does not fit", {
      expected: "the number of first axes that input and indices share",
      got: `${batchDims} of ${formatShape(x)} and ${formatShape(indices)}`,
    });
  if (typeof depth !== "number" || depth < 1 || depth > x.length - batchDims)
    throw opError(node, "its indices do not fit", {
      expected: `tuples of 1 to ${x.length - batchDims} numbers`,
      got: formatShape(indices),
    });
  return {
    batch: x.slice(0, batchDims),
    extents: x.slice(batchDims, batchDims + depth),
    tuples: indices.slice(batchDims, -1),
    slice: x.slice(batchDims + depth),
  };
}

/** The places of slices, as numbers within the whole input, in memory of this unit. */
export function numberedPlaces(
  node: Node,
  c: Lowering,
  indices: string,
  { batch, extents, tuples }: Tuples,
): { places: Address; count: Shape[number]; rows: Shape[number] } {
  const count = multiplyDims(countOf(batch), countOf(tuples));
  needSame(c, batch, c.type(indices).shape.slice(0, batch.length));
  checkConstantIndices(node, c, indices, extents);
  const places = c.temporary(multiplyDims(count, bytesPerElement.i32));
  for (const [k, extent] of extents.entries())
    c.emit("numberPlaces", [places, c.input(indices), countOf(tuples), extents.length, k, extent], count);
  return { places, count, rows: multiplyDims(countOf(batch), countOf(extents)) };
}

/** Rows are apart where the first axis belongs to the batch, here and there. */
export const keepsRows = (node: Node, inputs: readonly Batched[]): boolean =>
  numberOf(node, "batch_dims", 0) > 0 && inputs.every(({ axis }) => axis === 0);

/** ONNX GatherND-13. */
export const gatherND: Op = {
  inputs: 2,
  attributes: ["batch_dims"],
  infer(node, inputs): readonly ValueType[] {
    const x = inputType(node, inputs, 0);
    const { batch, tuples, slice } = tuplesOf(node, x.shape, indexType(node, inputs, 1).shape);
    return [{ dtype: x.dtype, shape: [...batch, ...tuples, ...slice] }];
  },
  rows: keepsRows,
  lower({ node, inputs: [x = "", indices = ""], outputs: [y = ""] }, c) {
    const { dtype, shape } = c.type(x);
    const tuples = tuplesOf(node, shape, c.type(indices).shape);
    for (const extent of tuples.extents) c.needs(extent, y);
    const bytes = multiplyDims(countOf(tuples.slice), bytesPerElement[dtype]);
    const to = c.output(y);
    const { places, count, rows } = numberedPlaces(node, c, indices, tuples);
    c.emit("gather", [to, c.input(x), places, rows, count, bytes], count);
  },
};

export const gatherNDTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
