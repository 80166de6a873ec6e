import { countOf, type Dim, formatShape } from "../../graph/symbols";
import { mayEqual, needEqual } from "../equal";
import { floatType, type Op, opError, type Traits } from "../op";

/** Determinants of square matrices [..., n, n]. ONNX Det-22. */
export const det: Op = {
  infer(node, inputs) {
    const { shape } = floatType(node, inputs, 0);
    const [rows, columns] = shape.slice(-2);
    if (shape.length < 2 || !mayEqual(rows!, columns!))
      throw opError(node, "its matrices are not square", {
        expected: "[..., n, n]",
        got: formatShape(shape),
      });
    return [{ dtype: "f32", shape: shape.slice(0, -2) }];
  },
  rows: (_, [x]) => x!.axis < x!.shape.length - 2,
  lower({ inputs, outputs }, c) {
    const { shape } = c.type(inputs[0]!);
    const [rows, n] = shape.slice(-2) as [Dim, Dim];
    needEqual(c, rows, n);
    const places = [c.output(outputs[0]!), c.input(inputs[0]!), c.scratch(countOf([4, n, n]))] as const;
    c.emit("det", [...places, n], countOf(shape.slice(0, -2)));
  },
};

export const detTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
