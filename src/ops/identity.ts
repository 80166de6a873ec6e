// Identity: y = x. A pass removes it wherever the names of the graph's inputs and outputs allow.

import { inputType, type ModelOp, type Op } from "./op";
import { lowerAlias, lowerAliasOfCodes, reshapeKnown, retype } from "./reshape";

const infer: Op["infer"] = (node, inputs) => {
  const x = inputType(node, inputs, 0);
  return retype(x, x.shape);
};

export const identity: ModelOp = {
  codes: "none",
  infer,
  evaluate: reshapeKnown(infer),
  rows: true,
  layout: (_, [layout = "plain"]) => ({ inputs: [layout], outputs: [layout] }),
  lower: lowerAlias,
  lowerInteger: lowerAliasOfCodes,
};
