// Shape: the dimensions of its input from `start` to `end`, as i32. Only folded: symbols stand for unknown dimensions.

import { inputType, numberOf, type Op, type Traits } from "../op";

const infer: Op["infer"] = (node, inputs) => {
  const rank = inputType(node, inputs, 0).shape.length;
  const [start, end] = rangeOf(numberOf(node, "start", 0), numberOf(node, "end", rank), rank);
  return [{ dtype: "i32", shape: [Math.max(0, end - start)] }];
};

const rangeOf = (start: number, end: number, rank: number) =>
  [start, end].map((at) => Math.min(rank, Math.max(0, at < 0 ? at + rank : at))) as [number, number];

export const shape: Op = {
  attributes: ["start", "end"],
  infer,
  evaluate(node, _, types) {
    const dims = inputType(node, types, 0).shape;
    const data = dims.slice(
      ...rangeOf(numberOf(node, "start", 0), numberOf(node, "end", dims.length), dims.length),
    );
    return [{ dtype: "i32", shape: [data.length], data }];
  },
};

export const shapeTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
