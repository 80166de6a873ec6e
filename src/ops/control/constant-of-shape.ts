// ConstantOfShape: a tensor of one value repeated.

import type { Node } from "../../graph/graph";
import { formatShape } from "../../graph/symbols";
import { allocate, bytesPerElement, type DType, sizeOf, type Tensor } from "../../graph/tensor";
import { dimsOf, missing } from "../axes";
import { numericShape } from "../known";
import { numberOf, type Op, opError, stringOf, type Traits } from "../op";

const infer: Op["infer"] = (node) => {
  const shape = dimsOf(node, "shape");
  if (!shape) throw missing(node, "shape");
  const dtype = stringOf(node, "dtype", "f32");
  if (!Object.hasOwn(bytesPerElement, dtype)) throw opError(node, "unknown dtype", { got: dtype });
  return [{ dtype: dtype as DType, shape }];
};

/** The tensor, where its shape is numbers. */
function filled(node: Node): Tensor | undefined {
  const { dtype, shape: dims } = infer(node, [])[0]!;
  const shape = numericShape(dims);
  if (shape?.some((dim) => dim < 0))
    throw opError(node, "a dimension is negative", { expected: "dimensions ≥ 0", got: formatShape(shape) });
  return shape && { dtype, shape, data: allocate(dtype, sizeOf(shape)).fill(numberOf(node, "value", 0)) };
}

export const constantOfShape: Op = {
  attributes: ["dtype", "value"],
  parameters: { 0: "shape" },
  open: [0],
  infer,
  act: (node) => ({ outputs: [filled(node)!], found: [] }),
};

export const constantOfShapeTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  natural: (node) => dimsOf(node, "shape") ?? [],
  evaluate(node) {
    const made = filled(node);
    return made && [made];
  },
};
