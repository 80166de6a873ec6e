// Trilu: the upper or lower triangle of matrices, with zeros in the other; `k` is the diagonal where it begins.

import { countOf, multiplyDims } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { numericShape } from "../known";
import { inputType, numberOf, numbersOf, type Op, opError, type Traits } from "../op";
import { heldAs } from "./indices";

/** ONNX Trilu-14. */
export const trilu: Op = {
  inputs: 2,
  attributes: ["upper"],
  parameters: { 1: "k" },
  computable: [1],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    if (x.shape.length < 2)
      throw opError(node, "its input has no matrices", { expected: "at least 2 dimensions" });
    const k = inputs[1];
    if (k && (k.dtype !== "i32" || countOf(k.shape) !== 1))
      throw opError(node, "k does not fit", { expected: "i32 []", got: `${k.dtype} [${k.shape}]` });
    return [x];
  },
  evaluate(node, [x, fixed]) {
    const shape = x && numericShape(x.shape);
    if (!shape || !ArrayBuffer.isView(x.data)) return undefined;
    const k = fixed ? fixed.data[0]! : numbersOf(node, "k", [0])[0]!;
    if (typeof k === "string") return undefined;
    const isUpper = numberOf(node, "upper", 1) !== 0;
    const [rows, cols] = shape.slice(-2) as [number, number];
    const isKept = (i: number) => {
      const across = (i % cols) - (Math.floor(i / cols) % rows);
      return isUpper ? across >= k : across <= k;
    };
    return [{ ...x, data: (x.data as Float32Array).map((value, i) => (isKept(i) ? value : 0)) }];
  },
  rows: (_, [x]) => x!.axis < x!.shape.length - 2,
  lower({ node, inputs: [x = "", computed = ""], outputs: [y = ""] }, c) {
    const { dtype, shape } = c.type(x);
    const [rows, cols] = shape.slice(-2);
    const k = computed === "" ? c.data(Int32Array.from(numbersOf(node, "k", [0]))) : c.input(computed);
    const places = [c.output(y, x), c.input(x), k, bytesPerElement[dtype]] as const;
    const flags = [numberOf(node, "upper", 1) === 0 ? 0 : 1, heldAs(dtype, 0)] as const;
    c.emit("triangle", [...places, rows!, cols!, ...flags], multiplyDims(countOf(shape.slice(0, -2)), rows!));
  },
};

export const triluTraits: Traits = {
  codes: "none",
  homogeneous: (_, axis, rank) => axis < rank - 2,
  trained: undefined,
};
