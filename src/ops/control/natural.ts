// Natural: dimensions that a graph takes to be natural numbers, as where it divides them: runs in which one is below 0 are refused. Where
// they are so just if two others fit in a broadcast, these are its parameter `fits`, and errors name them.

import { dimsOf } from "../axes";
import type { Op } from "../op";
import { bindTraits } from "./bind";

export const natural: Op = {
  inputs: 0,
  parameters: { 0: "values", 1: "fits" },
  infer: () => [],
  finds: () => 0,
  rows: true,
  lower({ node }, c) {
    const [a, b] = dimsOf(node, "fits") ?? [];
    if (a !== undefined) c.needs(a, undefined, b, "fit");
    else for (const dim of dimsOf(node, "values") ?? []) c.needsSize(dim);
  },
};

export { bindTraits as naturalTraits };
