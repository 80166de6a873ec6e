// BitCast: the same bits as elements of another type of the same size.

import type { Node, ValueType } from "../../graph/graph";
import { countOf } from "../../graph/symbols";
import { bytesPerElement, type DType } from "../../graph/tensor";
import { heldAbove } from "../codes";
import { inputType, type Op, opError, stringOf, type Traits } from "../op";

function typeOf(node: Node, x: ValueType): ValueType {
  const to = stringOf(node, "to", "") as DType;
  if (Object.hasOwn(bytesPerElement, to) && to !== "bool" && bytesPerElement[to] === bytesPerElement[x.dtype])
    return { dtype: to, shape: x.shape };
  throw opError(node, "attribute to does not fit", {
    expected: `a type of ${bytesPerElement[x.dtype]} bytes that is not bool`,
    got: to,
  });
}

/** ONNX BitCast-26. */
export const bitCast: Op = {
  attributes: ["to"],
  infer: (node, inputs) => [typeOf(node, inputType(node, inputs, 0))],
  rows: true,
  lower({ inputs: [x = ""], outputs: [y = ""] }, c) {
    const [from, to] = [c.type(x), c.type(y)];
    if (heldAbove(from.dtype) === heldAbove(to.dtype)) c.alias(y, x);
    else c.emit("xor128", [c.output(y), c.input(x)], countOf(to.shape));
  },
};

export const bitCastTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
