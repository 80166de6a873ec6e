// OneHot: for each index a vector along a new axis, of the second of two values where the index points, and of the first elsewhere. A
// negative index counts from the end; one outside points nowhere.

import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { dimsOf, missing, normalizeAxis } from "../axes";
import { inputType, numberOf, type Op, opError, type Traits } from "../op";
import { typeNumber } from "./indices";

const axisOf = (node: Node, { shape }: ValueType) =>
  normalizeAxis(node, numberOf(node, "axis", -1), shape.length + 1);

function depthOf(node: Node): Dim {
  const depth = dimsOf(node, "depth")?.[0];
  if (depth !== undefined && (typeof depth === "string" || depth >= 0)) return depth;
  throw missing(node, "depth");
}

/** ONNX OneHot-11. */
export const oneHot: Op = {
  inputs: 3,
  attributes: ["axis"],
  parameters: { 1: "depth" },
  open: [1],
  infer(node, inputs) {
    const [indices, values] = [inputType(node, inputs, 0), inputType(node, inputs, 2)];
    if (countOf(values.shape) !== 2)
      throw opError(node, "values does not fit", { expected: "[2]", got: `[${values.shape}]` });
    const axis = axisOf(node, indices);
    return [{ dtype: values.dtype, shape: indices.shape.toSpliced(axis, 0, depthOf(node)) }];
  },
  rows: (_, [indices], [y]) => indices!.shape[indices!.axis] === y!.shape[y!.axis],
  lower({ node, inputs: [indices = "", , values = ""], outputs: [y = ""] }, c) {
    const x = c.type(indices);
    const axis = axisOf(node, x);
    const { dtype } = c.type(y);
    const places = [c.output(y), c.input(indices), c.input(values)] as const;
    const kinds = [bytesPerElement[dtype], typeNumber[x.dtype]] as const;
    const sizes = [depthOf(node), countOf(x.shape.slice(axis))] as const;
    c.emit("oneHot", [...places, ...kinds, ...sizes], countOf(x.shape.slice(0, axis)));
  },
};

export const oneHotTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
