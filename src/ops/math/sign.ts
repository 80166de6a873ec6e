import type { Traits } from "../op";
import { unary } from "../unary";
import { ofIntegers } from "./integers";
import { INTEGERS } from "./pairwise";

/** 1, 0 or −1, as x is above, at or below 0; NaN stays NaN. ONNX Sign-13. */
export const sign = ofIntegers(
  {
    dtypes: INTEGERS,
    known: Math.sign,
    steps: (dtype) =>
      dtype === "u8"
        ? [["minimum", "x", 1]]
        : [
            ["maximum", "x", -1],
            ["minimum", "y", 1],
          ],
  },
  unary("sign"),
);

export const signTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
