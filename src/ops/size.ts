// Size: the number of elements of its input, as i32. Only folded.

import { countOf } from "../graph/symbols";
import { inputType, type ModelOp } from "./op";

export const size: ModelOp = {
  codes: "none",
  infer: () => [{ dtype: "i32", shape: [] }],
  evaluate: (node, _, types) => [
    { dtype: "i32", shape: [], data: [countOf(inputType(node, types, 0).shape)] },
  ],
};
