// Matrix product of [..., k] with a constant [k, n], and an optional bias as third input.

import { countOf, formatShape } from "../graph/symbols";
import { sizeOf } from "../graph/tensor";
import { lowerDense, lowerDenseInt8 } from "./dense";
import { denseView } from "./gemm";
import { floatType, type Lowering, type Op, opError, type Unit } from "./op";

/** The product that a MatMul is, without where its result goes, and its bias. */
export function matMulOf(unit: Unit, c: Lowering) {
  const [x, w, b = ""] = unit.inputs as [string, string, string?];
  const weights = c.constant(w);
  const bias = b === "" ? undefined : c.constant(b);
  if (weights?.shape.length !== 2 || (b !== "" && !bias))
    throw opError(unit.node, "the right-hand side must be a constant matrix", {
      got: c.constant(w) ? formatShape(c.type(w).shape) : `computed value "${w}"`,
      hint: "A product of two computed values is not supported yet",
    });
  const view = denseView(weights.shape, false, "plain");
  if (bias && sizeOf(bias.shape) !== view.n)
    throw opError(unit.node, "the bias must be one row", {
      expected: `[${view.n}]`,
      got: formatShape(bias.shape),
    });
  const k = weights.shape[0]!;
  const rows = countOf(c.type(x).shape.slice(0, -1));
  const dense = {
    unit,
    x: c.input(x),
    ldx: k,
    ldy: view.n,
    rows,
    weights,
    view,
  };
  return { dense, bias };
}

/** ONNX MatMul-13 with a constant right-hand side: x [..., k], w [k, n], b [n]. */
export const matMul: Op = {
  infer(node, inputs) {
    const [a, b] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    if (inputs[2]) floatType(node, inputs, 2);
    const k = a.shape.at(-1);
    if (a.shape.length < 1 || b.shape.length !== 2 || k !== b.shape[0])
      throw opError(node, "inner sizes differ", {
        expected: "[..., k] × [k, n]",
        got: `${formatShape(a.shape)} × ${formatShape(b.shape)}`,
      });
    return [{ dtype: "f32", shape: [...a.shape.slice(0, -1), b.shape[1]!] }];
  },
  fusesClamp: "always",
  lower(unit, c) {
    const { dense, bias } = matMulOf(unit, c);
    lowerDense(c, { ...dense, y: c.output(unit.outputs[0]!) }, bias);
  },
  lowerInteger(unit, c) {
    const { dense, bias } = matMulOf(unit, c);
    lowerDenseInt8(c, { ...dense, y: c.output(unit.outputs[0]!) }, bias);
  },
};
