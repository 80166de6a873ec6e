// Zeros: of attribute `shape`, for sums to begin with.

import { countOf } from "../../graph/symbols";
import { dimsOf, missing } from "../../ops/axes";
import type { Op } from "../../ops/op";

export const zeros: Op = {
  infer(node) {
    const shape = dimsOf(node, "shape");
    if (!shape) throw missing(node, "shape");
    return [{ dtype: "f32", shape }];
  },
  lower({ outputs }, c) {
    const { shape } = c.type(outputs[0]!);
    c.emit("fill32", [c.output(outputs[0]!), 0], countOf(shape));
  },
};
