// Equal: 1 where both inputs are the same. Only folded: exporters look for −1 among the dimensions of a shape.

import type { Dim } from "../../graph/symbols";
import { broadcastShapes, evaluateBinary } from "../broadcast";
import { inputType, type Op, type Traits } from "../op";

/** Undefined where it depends on the value of a symbol. */
function isEqual(a: Dim, b: Dim): 0 | 1 | undefined {
  if (a === b) return 1;
  if (typeof a === "number" && typeof b === "number") return 0;
  return isBelow(a, b) || isBelow(b, a) ? 0 : undefined;
}

/** A dimension is never below zero. */
const isBelow = (a: Dim, b: Dim) =>
  typeof a === "number" && a < 0 && typeof b === "string" && !b.includes("-");

export const equal: Op = {
  inputs: 2,
  infer(node, inputs) {
    const shape = broadcastShapes(node, inputType(node, inputs, 0).shape, inputType(node, inputs, 1).shape);
    return [{ dtype: "bool", shape }];
  },
  evaluate: (node, inputs) =>
    evaluateBinary(node, inputs, isEqual)?.map((known) => ({ ...known, dtype: "bool" })),
};

export const equalTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
