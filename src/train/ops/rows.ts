// The rows of one micro-batch, within a value that has the rows of the whole batch. Symbols say where they begin and how many there are;
// attribute `of` is the symbol that counts all rows.

import { substituteDim } from "../../graph/dim-functions";
import type { Node, ValueType } from "../../graph/graph";
import { countOf, type Dim, divideDims, multiplyDims, type Shape } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { behind, inputType, type Op, opError, stringOf } from "../../ops/op";

/** Symbol that counts the rows of a micro-batch. */
export const rowsOf = (symbol: string): string => `${symbol}@rows`;
/** Symbol for the first row of a micro-batch. */
export const firstOf = (symbol: string): string => `${symbol}@first`;

const counterOf = (node: Node): string => stringOf(node, "of", "");

/** Bytes before the first row of a micro-batch, in a value of all rows. */
function before(node: Node, { dtype, shape }: ValueType): Dim {
  const symbol = counterOf(node);
  const each = divideDims(countOf(shape), symbol);
  if (each === undefined) throw opError(node, "its input is not by rows", { got: `[${shape.join(", ")}]` });
  return multiplyDims(firstOf(symbol), multiplyDims(each, bytesPerElement[dtype]));
}

const counted = (shape: Shape, from: string, to: string): Shape =>
  shape.map((dim) => substituteDim(dim, from, to));

const asItIs: Op["layout"] = (_, [layout = "plain"]) => ({ inputs: [layout], outputs: [layout] });

/** The rows of a micro-batch, where they lie. */
export const takeRows: Op = {
  infer(node, inputs) {
    const { dtype, shape } = inputType(node, inputs, 0);
    return [{ dtype, shape: counted(shape, counterOf(node), rowsOf(counterOf(node))) }];
  },
  layout: asItIs,
  lower({ node, inputs, outputs }, c) {
    const [x, y] = [inputs[0]!, outputs[0]!];
    c.alias(y, x, before(node, c.type(x)));
  },
};

/** All rows, those of this micro-batch from its input. */
export const putRows: Op = {
  infer(node, inputs) {
    const { dtype, shape } = inputType(node, inputs, 0);
    return [{ dtype, shape: counted(shape, rowsOf(counterOf(node)), counterOf(node)) }];
  },
  layout: asItIs,
  lower({ node, inputs, outputs }, c) {
    const [x, y] = [inputs[0]!, outputs[0]!];
    const { dtype, shape } = c.type(x);
    const bytes = multiplyDims(countOf(shape), bytesPerElement[dtype]);
    c.emit("copyRows", [behind(c.output(y), before(node, c.type(y))), 0, c.input(x), 0, bytes], 1);
  },
};
