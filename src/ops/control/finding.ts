// What ops share whose results have sizes that only a run finds.

import { allocate, type Tensor } from "../../graph/tensor";
import type { Traits } from "../op";

export const findingTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};

/** Slices of a tensor along an axis, by their indices, one after another. */
export function pick({ dtype, shape, data }: Tensor, axis: number, indices: readonly number[]): Tensor {
  const inner = shape.slice(axis + 1).reduce((n, dim) => n * dim, 1);
  const outer = shape.slice(0, axis).reduce((n, dim) => n * dim, 1);
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

/** A tensor as one row. */
export const flat = ({ dtype, data }: Tensor): Tensor => ({ dtype, shape: [data.length], data });
