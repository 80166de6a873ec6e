// Mod: the remainder, with the sign of the divisor, or with `fmod` that of the dividend. Only folded.

import { divideDims } from "../../graph/symbols";
import { broadcastShapes, evaluateBinary } from "../broadcast";
import { inputType, numberOf, type Op, type Traits } from "../op";

export const mod: Op = {
  inputs: 2,
  attributes: ["fmod"],
  infer(node, inputs) {
    const [x, y] = [inputType(node, inputs, 0), inputType(node, inputs, 1)];
    return [{ dtype: x.dtype, shape: broadcastShapes(node, x.shape, y.shape) }];
  },
  evaluate(node, inputs) {
    const isFmod = numberOf(node, "fmod", 0) !== 0;
    return evaluateBinary(node, inputs, (x, y) => {
      if (typeof x === "string" || typeof y === "string")
        return divideDims(x, y) === undefined ? undefined : 0;
      if (y === 0 && inputs[0]?.dtype !== "f32") return undefined;
      return isFmod || x % y === 0 || x % y < 0 === y < 0 ? x % y : (x % y) + y;
    });
  },
};

export const modTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
