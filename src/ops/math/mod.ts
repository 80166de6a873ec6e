// Mod: the remainder, with the sign of the divisor, or with `fmod` that of the dividend. Of integers it is 0 where the divisor is.

import { divideDims } from "../../graph/symbols";
import { evaluateBinary } from "../broadcast";
import { numberOf, opError, type Traits } from "../op";
import { NUMBERS, pairwise } from "./pairwise";

/** ONNX Mod-13. */
export const mod = pairwise({
  attributes: ["fmod"],
  dtypes: NUMBERS,
  kernel(node, dtype) {
    if (numberOf(node, "fmod", 0) !== 0) return "fmod";
    if (dtype === "f32") throw opError(node, "the remainder of floats has fmod = 1");
    return "modulo";
  },
  evaluate(node, inputs) {
    const isFmod = numberOf(node, "fmod", 0) !== 0;
    return evaluateBinary(node, inputs, (x, y) => {
      if (typeof x === "string" || typeof y === "string")
        return divideDims(x, y) === undefined ? undefined : 0;
      if (inputs[0]?.dtype === "f32" ? !isFmod : y === 0) return undefined;
      return isFmod || x % y === 0 || x % y < 0 === y < 0 ? x % y : (x % y) + y;
    });
  },
});

export const modTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
