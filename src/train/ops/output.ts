import { countOf, multiplyDims } from "../../graph/symbols";
import { floatType, type Op } from "../../ops/op";

/** y = x, in plain order and in memory of its own: the last step of a forward pass whose loss is found elsewhere. */
export const output: Op = {
  infer: (node, inputs) => [floatType(node, inputs, 0)],
  rows: true,
  lower({ inputs, outputs }, c) {
    const [x, y] = [inputs[0]!, outputs[0]!];
    const [rows = 1, ...rest] = c.type(x).shape;
    const bytes = multiplyDims(countOf(rest), 4);
    c.emit("copyRows", [c.output(y), bytes, c.input(x), bytes, bytes], rows);
  },
};
