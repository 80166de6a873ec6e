// General matrix product, which has no kernels of its own: simplifying a graph makes Linear of it where its weights are known,
// else MatMul, Mul and Add (passes/plain-forms.ts).

import { formatShape } from "../graph/symbols";
import { isWithin } from "./broadcast";
import { floatType, numberOf, type Op, opError, type Traits } from "./op";

/** ONNX Gemm-13: alpha · op(a) · op(b) + beta · c; a [m, k] or with transA [k, m], b [k, n] or with transB [n, k]. */
export const gemm: Op = {
  inputs: 3,
  attributes: ["alpha", "beta", "transA", "transB"],
  infer(node, inputs) {
    const [a, b] = [floatType(node, inputs, 0), floatType(node, inputs, 1)];
    const [m, k] = numberOf(node, "transA", 0) ? [a.shape[1], a.shape[0]] : a.shape;
    const [inner, n] = numberOf(node, "transB", 0) ? [b.shape[1], b.shape[0]] : b.shape;
    if (a.shape.length !== 2 || b.shape.length !== 2 || k !== inner)
      throw opError(node, "inner sizes differ", {
        expected: `[m, k] × [k, n]`,
        got: `${formatShape(a.shape)} × ${formatShape(b.shape)} with transA ${numberOf(node, "transA", 0)}, transB ${numberOf(node, "transB", 0)}`,
      });
    if (inputs[2] && !isWithin(floatType(node, inputs, 2).shape, [m!, n!]))
      throw opError(node, "the bias does not fit", {
        expected: `what broadcasts to ${formatShape([m!, n!])}`,
        got: formatShape(inputs[2].shape),
      });
    return [{ dtype: "f32", shape: [m!, n!] }];
  },
  rows: true,
};

export const gemmTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
