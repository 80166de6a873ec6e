import type { Traits } from "../op";
import { unary } from "../unary";
import { ofIntegers } from "./integers";

/** −x. ONNX Neg-13. The lowest integer stays what it is. */
export const neg = ofIntegers(
  { dtypes: ["i32", "i8"], known: (x) => -x, steps: () => [["broadcastSub", 0, "x"]] },
  unary("neg"),
);

export const negTraits: Traits = { codes: "none", homogeneous: () => true, trained: undefined };
