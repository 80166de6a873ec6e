import { opError, stringOf, type Traits } from "../op";
import { pairwise } from "./pairwise";

/** a moved by b bits to the LEFT or RIGHT, 0 where none are left. ONNX BitShift-11, of integers without a sign: u8. */
export const bitShift = pairwise({
  attributes: ["direction"],
  kernel(node) {
    const direction = stringOf(node, "direction", "");
    if (direction === "LEFT") return "shiftLeft";
    if (direction === "RIGHT") return "shiftRight";
    throw opError(node, "attribute direction does not fit", { expected: "LEFT or RIGHT", got: direction });
  },
  dtypes: ["u8", "i32"],
});

export const bitShiftTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
