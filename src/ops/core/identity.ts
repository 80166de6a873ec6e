// Identity: y = x. A pass removes it wherever the names of the graph's inputs and outputs allow.

import { inputType, type Op, type Traits } from "../op";
import { lowerAlias, lowerAliasOfCodes, reshapeKnown, retype } from "./reshape";

const infer: Op["infer"] = (node, inputs) => {
  const x = inputType(node, inputs, 0);
  return retype(x, x.shape);
};

export const identity: Op = {
  infer,
  evaluate: reshapeKnown(infer),
  rows: true,
  layout: (_, [layout = "plain"]) => ({ inputs: [layout], outputs: [layout] }),
  lower: lowerAlias,
  lowerInteger: lowerAliasOfCodes,
};

export const identityTraits: Traits = {
  codes: "none",
  homogeneous: () => true,
  trained: undefined,
  idle: () => true,
};
