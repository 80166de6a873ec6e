import type { Node } from "../../graph/graph";
import { countOf } from "../../graph/symbols";
import { missing, normalizeAxis } from "../axes";
import { inputType, numberOf, numbersOf, type Op, opError, type Traits } from "../op";

/** The axis that it runs along. */
export function axisOf(node: Node, rank: number): number {
  const [axis] = numbersOf(node, "axis", []);
  if (axis === undefined) throw missing(node, "axis");
  return normalizeAxis(node, axis, rank);
}

/** What runs along an axis, by a kernel. */
// @__NO_SIDE_EFFECTS__
export const running = (kernel: "cumSum" | "cumProd"): Op => ({
  inputs: 2,
  attributes: ["exclusive", "reverse"],
  parameters: { 1: "axis" },
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    axisOf(node, x.shape.length);
    if (x.dtype === "f32" || x.dtype === "i32") return [x];
    throw opError(node, "element type does not fit", { expected: "f32 or i32", got: x.dtype });
  },
  /** Along the batch axis, a row is part of all that follow it. */
  rows: (node, [x]) => x!.axis !== axisOf(node, x!.shape.length),
  lower({ node, inputs, outputs }, c) {
    const { dtype, shape } = c.type(inputs[0]!);
    const axis = axisOf(node, shape.length);
    const places = [c.output(outputs[0]!), c.input(inputs[0]!)] as const;
    const sizes = [shape[axis]!, countOf(shape.slice(axis + 1))] as const;
    const flags = [numberOf(node, "exclusive", 0), numberOf(node, "reverse", 0)] as const;
    const integers = dtype === "f32" ? 0 : 1;
    c.emit(kernel, [...places, ...sizes, ...flags, integers], countOf(shape.slice(0, axis)));
  },
});

/**
 * Sums of the elements along an axis up to each of them; with `exclusive` without itself, with `reverse` of those from it on. Sums
 * of i32 keep their low 32 bits. ONNX CumSum-14.
 */
export const cumSum: Op = running("cumSum");

export const cumSumTraits: Traits = {
  codes: "none",
  homogeneous: (node, axis, rank) => axisOf(node, rank) !== axis,
  trained: undefined,
};
