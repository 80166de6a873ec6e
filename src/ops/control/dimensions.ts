// Dimensions: numbers that follow from symbols, such as a shape, as the elements of a tensor.

import { sizeOf, tensor } from "../../graph/tensor";
import { dimsOf, missing } from "../axes";
import { numbersOf, type Op, type Traits } from "../op";

export const dimensions: Op = {
  inputs: 0,
  attributes: ["shape"],
  parameters: { 0: "values" },
  infer: (node) => [{ dtype: "i32", shape: numbersOf(node, "shape", []) }],
  act(node) {
    const values = numbersOf(node, "values", []);
    return { outputs: [tensor("i32", numbersOf(node, "shape", []), values)], found: [] };
  },
};

export const dimensionsTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
  evaluate(node) {
    const data = dimsOf(node, "values");
    if (!data) throw missing(node, "values");
    const shape = numbersOf(node, "shape", []);
    return data.length === sizeOf(shape) ? [{ dtype: "i32", shape, data }] : undefined;
  },
};
