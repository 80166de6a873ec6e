import type { Traits } from "../op";
import { unary } from "../unary";
import { ofIntegers } from "./integers";
import { INTEGERS } from "./pairwise";

/** |x|. ONNX Abs-13. The lowest integer stays what it is. */
export const abs = ofIntegers(
  {
    dtypes: INTEGERS,
    known: Math.abs,
    steps: (dtype) =>
      dtype === "u8"
        ? [["maximum", "x", 0]]
        : [
            ["broadcastSub", 0, "x"],
            ["maximum", "x", "y"],
          ],
  },
  unary("abs"),
);

export const absTraits: Traits = { codes: "none", homogeneous: () => true, trained: undefined };
