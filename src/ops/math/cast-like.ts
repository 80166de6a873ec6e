import type { Node, ValueType } from "../../graph/graph";
import { inputType, type Op, type Traits } from "../op";
import { cast, castTraits } from "./cast";

/** The Cast that it is. */
const castOf = (node: Node, like: ValueType | undefined): Node => ({
  ...node,
  attributes: { to: inputType(node, [undefined, like], 1).dtype },
});

/** The first input in the dtype of the second. ONNX CastLike-15. */
export const castLike: Op = {
  inputs: 2,
  infer: (node, inputs) => cast.infer(castOf(node, inputs[1]), inputs),
  rows: true,
  lower: (unit, c) => cast.lower!({ ...unit, node: castOf(unit.node, c.type(unit.inputs[1]!)) }, c),
};

export const castLikeTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  idle: (_, x, y) => x.dtype === y.dtype,
  evaluate: (node, inputs, types) => castTraits.evaluate!(castOf(node, types[1]), inputs, types),
};
