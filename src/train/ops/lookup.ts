// LookupGradient: (dy, codes, table) → dx = dy · table[code], for a function of codes that is a table; 256 slopes f32.

import { countOf, formatShape } from "../../graph/symbols";
import { floatType, inputType, type Op, opError } from "../../ops/op";

export const lookupGradient: Op = {
  infer(node, inputs) {
    const [dy, codes, table] = [
      floatType(node, inputs, 0),
      inputType(node, inputs, 1),
      floatType(node, inputs, 2),
    ];
    const isCode = codes.dtype === "u8" || codes.dtype === "i8";
    if (!isCode || formatShape(dy.shape) !== formatShape(codes.shape) || countOf(table.shape) !== 256)
      throw opError(node, "its inputs are not of one table", {
        expected: `codes ${formatShape(dy.shape)} and 256 slopes`,
        got: `${codes.dtype} ${formatShape(codes.shape)} and ${formatShape(table.shape)}`,
      });
    return [dy];
  },
  rows: true,
  layout: (_, [, codes = "plain"]) => ({ inputs: [codes, codes, "plain"], outputs: [codes] }),
  lower({ inputs, outputs }, c) {
    const [dy, codes, table] = inputs as [string, string, string];
    const operands = [c.output(outputs[0]!, dy), c.input(dy), c.input(codes), c.input(table)] as const;
    c.emit("lookupGradient", operands, countOf(c.type(dy).shape));
  },
};
