// Gradients of layer normalization: of x, with the moments it finds on the way; and with those of scale.

import type { ValueType } from "../../graph/graph";
import { formatShape } from "../../graph/symbols";
import { floatType, NONE, numberOf, type Op, opError } from "../../ops/op";
import { rowsOf } from "../../ops/sequence/layer-normalization";

/** dy, x, which have one shape. */
function operands(node: Parameters<Op["infer"]>[0], inputs: readonly (ValueType | undefined)[]): ValueType {
  const [dy, x] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
  if (formatShape(dy.shape) === formatShape(x.shape)) return x;
  throw opError(node, "a gradient has the shape of what it is of", {
    expected: formatShape(x.shape),
    got: formatShape(dy.shape),
  });
}

/** (dy, x, scale) → dx, and mean and inverse deviation of every row of x. */
export const layerNormalizationGradient: Op = {
  infer(node, inputs) {
    const x = operands(node, inputs);
    const { rows } = rowsOf(node, x.shape);
    const moments: ValueType = { dtype: "f32", shape: [rows] };
    return [x, moments, moments];
  },
  /** The moments are one list: its rows are those of x where they are outermost. */
  rows: (node, [, x]) => x!.axis === 0 && rowsOf(node, x!.shape).axis > 0,
  lower({ node, inputs, outputs }, c) {
    const [dy, x, scale] = inputs as [string, string, string];
    const [dx, mean, inverse] = outputs as [string, string, string];
    const { rows, cols } = rowsOf(node, c.type(x).shape);
    const places = [c.output(dx, dy), c.output(mean), c.output(inverse)] as const;
    const read = [c.input(dy), c.input(x), c.input(scale)] as const;
    c.emit("layerNormalizationGradient", [...places, ...read, cols, numberOf(node, "epsilon", 1e-5)], rows);
  },
};

/** (dy, x, scale) → dx of RMSNormalization, and the inverse root mean square of every row of x. */
export const rMSNormalizationGradient: Op = {
  infer(node, inputs) {
    const x = operands(node, inputs);
    return [x, { dtype: "f32", shape: [rowsOf(node, x.shape).rows] }];
  },
  rows: (node, [, x]) => x!.axis === 0 && rowsOf(node, x!.shape).axis > 0,
  lower({ node, inputs, outputs }, c) {
    const [dy, x, scale] = inputs as [string, string, string];
    const [dx, inverse] = outputs as [string, string];
    const { rows, cols } = rowsOf(node, c.type(x).shape);
    const places = [c.output(dx, dy), c.output(inverse)] as const;
    const read = [c.input(dy), c.input(x), c.input(scale)] as const;
    c.emit("rmsNormalizationGradient", [...places, ...read, cols, numberOf(node, "epsilon", 1e-5)], rows);
  },
};

/** (dy, x, mean or "", inverse) → the gradient of scale, which is one row. */
export const layerNormalizationScaleGradient: Op = {
  infer(node, inputs) {
    const { cols } = rowsOf(node, operands(node, inputs).shape);
    return [{ dtype: "f32", shape: [cols] }];
  },
  sums: true,
  lower({ node, inputs, outputs }, c) {
    const { rows, cols } = rowsOf(node, c.type(inputs[1]!).shape);
    const [dy, x, mean, inverse] = inputs.map((input) => (input === "" ? NONE : c.input(input)));
    const args = [c.output(outputs[0]!), dy!, x!, mean!, inverse!, rows, cols] as const;
    c.emit("layerNormalizationScaleGradient", args, cols);
  },
};
