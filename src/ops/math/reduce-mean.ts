import type { Node } from "../../graph/graph";
import { countOf } from "../../graph/symbols";
import { axesOf } from "../axes";
import { floatType, numberOf, type Op, opError, type Traits } from "../op";

/** Mean over neighbouring axes, which are attributes. ONNX ReduceMean-18. */
export const reduceMean: Op = {
  inputs: 2,
  attributes: ["keepdims", "noop_with_empty_axes"],
  parameters: { 1: "axes" },
  infer(node, inputs) {
    const x = floatType(node, inputs, 0);
    const axes = reducedAxes(node, x.shape.length);
    const keep = numberOf(node, "keepdims", 1) === 1;
    const shape = x.shape.flatMap((dim, i) => (axes.includes(i) ? (keep ? [1] : []) : [dim]));
    return [{ dtype: x.dtype, shape }];
  },
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const [x, y] = [inputs[0]!, outputs[0]!];
    const { shape } = c.type(x);
    const axes = reducedAxes(node, shape.length);
    if (axes.length === 0) return c.alias(y, x);
    const [first, last] = [axes[0]!, axes.at(-1)!];
    if (last - first + 1 !== axes.length)
      throw opError(node, "only neighbouring axes can be reduced at once", {
        got: `axes ${axes.join(", ")}`,
      });
    const reduced = countOf(shape.slice(first, last + 1));
    c.needs(reduced, y);
    c.emit(
      "reduceMean",
      [c.output(y), c.input(x), reduced, countOf(shape.slice(last + 1))],
      countOf(shape.slice(0, first)),
    );
  },
};

/** Axes in ascending order, counted from the front; all of them where none is named. */
export function reducedAxes(node: Node, rank: number): number[] {
  const named = axesOf(node, rank) ?? [];
  if (named.length === 0 && numberOf(node, "noop_with_empty_axes", 0) === 1) return [];
  return named.length === 0 ? Array.from({ length: rank }, (_, i) => i) : named.sort((a, b) => a - b);
}

export const reduceMeanTraits: Traits = {
  codes: "none",
  homogeneous: (node, axis, rank) => reducedAxes(node, rank).every((reduced) => reduced > axis),
  trained: undefined,
};
