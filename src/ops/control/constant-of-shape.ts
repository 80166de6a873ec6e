// ConstantOfShape: a tensor of one value repeated.

import { allocate, bytesPerElement, type DType, sizeOf } from "../../graph/tensor";
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

export const constantOfShape: Op = {
  attributes: ["dtype", "value"],
  parameters: { 0: "shape" },
  open: [0],
  infer,
  evaluate(node) {
    const { dtype, shape: dims } = infer(node, [])[0]!;
    const shape = numericShape(dims);
    return shape && [{ dtype, shape, data: allocate(dtype, sizeOf(shape)).fill(numberOf(node, "value", 0)) }];
  },
  act(node) {
    const { dtype, shape: dims } = infer(node, [])[0]!;
    const shape = numericShape(dims)!;
    const data = allocate(dtype, sizeOf(shape)).fill(numberOf(node, "value", 0));
    return { outputs: [{ dtype, shape, data }], found: [] };
  },
};

export const constantOfShapeTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
