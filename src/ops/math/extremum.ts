// What Min and Max share: any number of inputs, broadcast, the elementwise smallest or largest.

import type { Dim } from "../../graph/symbols";
import { broadcastLayout, broadcastTypes, evaluateBinary } from "../broadcast";
import { lowerAlias } from "../core/reshape";
import { ANY_NUMBER, type Known, type Op } from "../op";
import { checkType, emitAll, NUMBERS } from "./pairwise";

/** `pick` gives the one of two. */
// @__NO_SIDE_EFFECTS__
export function extremum(kernel: "maximum" | "minimum", pick: (a: Dim, b: Dim) => Dim): Op {
  return {
    inputs: ANY_NUMBER,
    infer(node, inputs) {
      const type = broadcastTypes(node, inputs, inputs.length || 1);
      checkType(node, type.dtype, NUMBERS);
      return [type];
    },
    evaluate(node, inputs) {
      const [first, ...rest] = inputs;
      let result: Known | undefined = first;
      for (const next of rest) result = evaluateBinary(node, [result, next], pick)?.[0];
      return result && [result];
    },
    rows: true,
    layout: broadcastLayout,
    lower(unit, c) {
      if (unit.inputs.length === 1) lowerAlias(unit, c);
      else emitAll(unit, c, kernel);
    },
  };
}
