// What ops share whose results have sizes that only a run finds.

import type { Node } from "../../graph/graph";
import { allocate, sizeOf, type Tensor } from "../../graph/tensor";
import { normalizeAxis } from "../axes";
import { numberOf, type Traits } from "../op";

export const findingTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};

/** Slices of a tensor along an axis, by their indices, one after another. */
export function pick({ dtype, shape, data }: Tensor, axis: number, indices: readonly number[]): Tensor {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const picked = allocate(dtype, outer * indices.length * inner);
  let to = 0;
  for (let o = 0; o < outer; o++)
    for (const index of indices) {
      const from = (o * shape[axis]! + index) * inner;
      picked.set(data.subarray(from, from + inner), to);
      to += inner;
    }
  return { dtype, shape: [...shape.slice(0, axis), indices.length, ...shape.slice(axis + 1)], data: picked };
}

/** A tensor and the axis that attribute `axis` names, or its elements in a row where there is none. */
export function alongAxis(node: Node, x: Tensor): readonly [Tensor, number] {
  if (node.attributes.axis === undefined) return [{ ...x, shape: [x.data.length] }, 0];
  return [x, normalizeAxis(node, numberOf(node, "axis", 0), x.shape.length)];
}
