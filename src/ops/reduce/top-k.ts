import type { Node } from "../../graph/graph";
import { addDims, countOf, type Dim, multiplyDims, type Shape, subtractDims } from "../../graph/symbols";
import type { DType } from "../../graph/tensor";
import { dimsOf, missing, normalizeAxis } from "../axes";
import { inputType, numberOf, type Op, opError, type Traits } from "../op";

const axisIn = (node: Node, rank: number) => normalizeAxis(node, numberOf(node, "axis", -1), rank);
const axisOf = (node: Node, shape: Shape) => axisIn(node, shape.length);

function countIn(node: Node): Dim {
  const k = dimsOf(node, "k")?.[0];
  if (k === undefined) throw missing(node, "k");
  if (typeof k === "string" || k >= 0) return k;
  throw opError(node, "k does not fit", { expected: "a whole number ≥ 0", got: `${k}` });
}

/** The kernel for elements as they lie in memory, where i8 and bool are bytes. */
const kernelOf = (dtype: DType) => (dtype === "f32" ? "topK" : dtype === "i32" ? "topKInt" : "topKByte");

/** Bytes of a key. */
const KEY = 8;

/**
 * The k largest elements along `axis`, or with `largest` 0 the least, and their indices, i32: the best first, sorted or not; of equal ones
 * that of the lower index. ONNX TopK-24.
 */
export const topK: Op = {
  inputs: 2,
  attributes: ["axis", "largest", "sorted"],
  parameters: { 1: "k" },
  open: [1],
  infer(node, inputs) {
    const { dtype, shape } = inputType(node, inputs, 0);
    const [axis, k] = [axisOf(node, shape), countIn(node)];
    const n = shape[axis]!;
    if (typeof n === "number" && typeof k === "number" && k > n)
      throw opError(node, "k is more than there are", { expected: `at most ${n}`, got: `${k}` });
    numberOf(node, "sorted", 1);
    const best = shape.map((dim, i) => (i === axis ? k : dim));
    return [
      { dtype, shape: best },
      { dtype: "i32", shape: best },
    ];
  },
  rows: (node, [x]) => x!.axis !== axisOf(node, x!.shape),
  lower({ node, inputs, outputs }, c) {
    const [x, y = "", indices = ""] = [inputs[0]!, ...outputs];
    const { dtype, shape } = c.type(x);
    const [axis, k] = [axisOf(node, shape), countIn(node)];
    const [n, inner, outer] = [shape[axis]!, countOf(shape.slice(axis + 1)), countOf(shape.slice(0, axis))];
    const all = countOf([outer, inner, k, 4]);
    const [values, places] = [y, indices].map((name) => (name === "" ? c.temporary(all) : c.output(name)));
    if (y !== "" || indices !== "") c.needs(addDims(subtractDims(n, k), 1), y || indices);
    const smallest = 1 - numberOf(node, "largest", 1);
    const args = [
      values!,
      places!,
      c.scratch(multiplyDims(k, KEY)),
      c.input(x),
      n,
      inner,
      k,
      smallest,
    ] as const;
    c.emit(kernelOf(dtype), args, outer);
  },
};

export const topKTraits: Traits = {
  codes: "none",
  homogeneous: (node, axis, rank) => axisIn(node, rank) !== axis,
  trained: undefined,
};
