// Size: the number of elements of its input, as i32. Only folded.

import { countOf } from "../../graph/symbols";
import { inputType, type Op, type Traits } from "../op";

export const size: Op = {
  infer: () => [{ dtype: "i32", shape: [] }],
  evaluate: (node, _, types) => [
    { dtype: "i32", shape: [], data: [countOf(inputType(node, types, 0).shape)] },
  ],
};

export const sizeTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
