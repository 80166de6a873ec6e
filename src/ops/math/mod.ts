// Mod: the remainder, with the sign of the divisor, or with `fmod` that of the dividend. Of integers it is 0 where the divisor is.

import {
  type Dim,
  divideDims,
  floorDims,
  isNatural,
  multiplyDims,
  subtractDims,
  truncDims,
} from "../../graph/symbols";
import { evaluateBinary } from "../broadcast";
import { numberOf, opError, type Traits } from "../op";
import { NUMBERS, pairwise } from "./pairwise";

/** Of a dimension by a number above 0, by a size where neither is below 0, or of a multiple. */
function remainder(x: Dim, y: Dim, isFmod: boolean): Dim | undefined {
  const isOfSizes = typeof y === "string" && isNatural(x) && isNatural(y);
  if (!isOfSizes && !(Number(y) >= 1)) return divideDims(x, y) === undefined ? undefined : 0;
  // That a run does not divide by 0 is seen to where quotients towards 0 become ones towards −∞.
  const whole = isOfSizes || isFmod ? truncDims(x, y) : floorDims(x, y);
  return subtractDims(x, multiplyDims(whole, y));
}

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
      if (typeof x === "string" || typeof y === "string") return remainder(x, y, isFmod);
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
