// Natural: dimensions that a graph takes to be natural numbers, as where it divides them: runs in which one is below 0 are refused.

import { dimsOf } from "../axes";
import type { Op } from "../op";
import { bindTraits } from "./bind";

export const natural: Op = {
  inputs: 0,
  parameters: { 0: "values" },
  infer: () => [],
  finds: () => 0,
  rows: true,
  lower({ node }, c) {
    for (const dim of dimsOf(node, "values") ?? []) c.needsSize(dim);
  },
};

export { bindTraits as naturalTraits };
