// Dropout outside of training: y = x. Its second output, the mask of what was kept, is all true. Attribute `ratio` is the part
// that training drops.

import { inputType, type ModelOp } from "./op";
import { lowerAlias, lowerAliasOfCodes } from "./reshape";

export const dropout: ModelOp = {
  codes: "moves",
  attributes: ["ratio"],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return [x, { dtype: "bool", shape: x.shape }].slice(0, node.outputs.length) as never;
  },
  evaluate: (node, [x]) => (x && node.outputs.length === 1 ? [x] : undefined),
  rows: true,
  layout: (_, [layout = "plain"]) => ({ inputs: [layout], outputs: [layout, "plain"] }),
  lower: lowerAlias,
  lowerInteger: lowerAliasOfCodes,
};
