// TensorScatter: a cache with an update written along `axis` from an index on, one for each of the batch. What would lie past the end is
// dropped, or in mode circular goes on at the beginning.

import type { Node } from "../../graph/graph";
import { countOf, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { normalizeAxis } from "../axes";
import { mayEqual, needEqual, needSame } from "../equal";
import { inputType, NONE, numberOf, type Op, opError, stringOf, type Traits } from "../op";
import { checkUpdates, indexType, outputOf } from "./indices";

const axisOf = (node: Node, { length }: Shape) => normalizeAxis(node, numberOf(node, "axis", -2), length);

function isCircular(node: Node): boolean {
  const mode = stringOf(node, "mode", "linear");
  if (mode === "linear" || mode === "circular") return mode === "circular";
  throw opError(node, "mode is unknown", { expected: "linear, circular", got: mode });
}

/** ONNX TensorScatter-24. */
export const tensorScatter: Op = {
  inputs: 3,
  attributes: ["axis", "mode"],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    const axis = axisOf(node, x.shape);
    if (axis === 0) throw opError(node, "axis is that of the batch", { expected: "another axis" });
    isCircular(node);
    const count = inputType(node, inputs, 1).shape[axis] ?? 0;
    checkUpdates(node, inputs, 1, x.dtype, x.shape.with(axis, count));
    const extent = x.shape[axis]!;
    if (typeof count === "number" && typeof extent === "number" && count > extent)
      throw opError(node, "the update is longer than the cache", {
        expected: `at most ${extent}`,
        got: `${count}`,
      });
    const [batch = 0] = x.shape;
    if (inputs[2]) {
      const { shape } = indexType(node, inputs, 2);
      if (shape.length !== 1 || !mayEqual(shape[0]!, batch))
        throw opError(node, "input 2 does not fit", { expected: `[${batch}]`, got: formatShape(shape) });
    }
    return [x];
  },
  rows: true,
  lower({ node, inputs: [x = "", update = "", starts = ""], outputs: [y = ""] }, c) {
    const { dtype, shape } = c.type(x);
    const axis = axisOf(node, shape);
    const bytes = multiplyDims(countOf(shape.slice(axis + 1)), bytesPerElement[dtype]);
    const outer = countOf(shape.slice(1, axis));
    const put = c.type(update).shape;
    needSame(c, put, shape.with(axis, put[axis]!));
    if (starts !== "") needEqual(c, c.type(starts).shape[0]!, shape[0]!);
    const to = outputOf(node, c, y, x);
    const from = [c.input(update), starts === "" ? NONE : c.input(starts)] as const;
    const sizes = [outer, shape[axis]!, put[axis]!, bytes] as const;
    c.emit("scatterRuns", [to, ...from, ...sizes, isCircular(node) ? 1 : 0], multiplyDims(shape[0]!, outer));
  },
};

export const tensorScatterTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
