// What Min and Max share: any number of inputs, broadcast, the elementwise smallest or largest. Only folded.

import type { Dim } from "../graph/symbols";
import { broadcastShapes, evaluateBinary } from "./broadcast";
import { ANY_NUMBER, inputType, type Known, type Op } from "./op";

/** `pick` chooses one of two; undefined where that depends on the value of a symbol. */
// @__NO_SIDE_EFFECTS__
export function extremum(pick: (a: Dim, b: Dim) => Dim | undefined): Op {
  return {
    inputs: ANY_NUMBER,
    infer(node, inputs) {
      const types = [
        inputType(node, inputs, 0),
        ...inputs.slice(1).map((_, i) => inputType(node, inputs, i + 1)),
      ];
      const shape = types.map((type) => type.shape).reduce((a, b) => broadcastShapes(node, a, b));
      return [{ dtype: types[0]!.dtype, shape }];
    },
    evaluate(node, inputs) {
      const [first, ...rest] = inputs;
      let result: Known | undefined = first;
      for (const next of rest) result = evaluateBinary(node, [result, next], pick)?.[0];
      return result && [result];
    },
  };
}
