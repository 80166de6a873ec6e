// EyeLike: ones on diagonal `k` of a matrix of the input's shape, zeros elsewhere.

import type { Node, ValueType } from "../../graph/graph";
import { allocate, bytesPerElement, type DType, sizeOf } from "../../graph/tensor";
import { numericShape } from "../known";
import { inputType, numberOf, type Op, opError, stringOf, type Traits } from "../op";
import { heldAs } from "./indices";

function typeOf(node: Node, x: ValueType): ValueType {
  const dtype = stringOf(node, "dtype", x.dtype);
  if (!Object.hasOwn(bytesPerElement, dtype)) throw opError(node, "unknown dtype", { got: dtype });
  if (x.shape.length !== 2)
    throw opError(node, "its input is not a matrix", {
      expected: "2 dimensions",
      got: `${x.shape.length}`,
    });
  return { dtype: dtype as DType, shape: x.shape };
}

/** ONNX EyeLike-9. */
export const eyeLike: Op = {
  attributes: ["dtype", "k"],
  infer: (node, inputs) => [typeOf(node, inputType(node, inputs, 0))],
  evaluate(node, _, [x]) {
    if (!x) return undefined;
    const { dtype, shape: dims } = typeOf(node, x);
    const shape = numericShape(dims);
    if (!shape) return undefined;
    const data = allocate(dtype, sizeOf(shape));
    const k = numberOf(node, "k", 0);
    const cols = shape[1]!;
    for (const row of Array.from({ length: shape[0]! }).keys())
      if (row + k >= 0 && row + k < cols) data[row * cols + row + k] = 1;
    return [{ dtype, shape, data }];
  },
  lower({ node, outputs: [y = ""] }, c) {
    const { dtype, shape } = c.type(y);
    const [rows, cols] = shape;
    const ends = [heldAs(dtype, 0), heldAs(dtype, 1)] as const;
    c.emit("diagonal", [c.output(y), bytesPerElement[dtype], cols!, numberOf(node, "k", 0), ...ends], rows!);
  },
};

export const eyeLikeTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
