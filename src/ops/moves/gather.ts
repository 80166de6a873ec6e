// Gather: slices of its input along `axis`, picked by indices. Exporters pick dimensions with it, models embeddings. A negative index
// counts from the end; a computed one outside picks the first or the last slice.

import { countOf, multiplyDims } from "../../graph/symbols";
import { bytesPerElement, sizeOf } from "../../graph/tensor";
import { normalizeAxis } from "../axes";
import { listLike, numbersIn } from "../known";
import { inputType, numberOf, type Op, opError, type Traits } from "../op";
import { checkConstantIndices, indexType } from "./indices";

export const gather: Op = {
  inputs: 2,
  attributes: ["axis"],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    const indices = indexType(node, inputs, 1);
    const axis = normalizeAxis(node, numberOf(node, "axis", 0), x.shape.length);
    return [
      { dtype: x.dtype, shape: [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)] },
    ];
  },
  /** Along the batch axis, an index picks any row. */
  rows: (node, [x]) => x!.axis !== normalizeAxis(node, numberOf(node, "axis", 0), x!.shape.length),
  /** y[o, i, n] = x[o, indices[i], n]. */
  lower({ node, inputs, outputs }, c) {
    const [x, indices] = [c.type(inputs[0]!), c.type(inputs[1]!)];
    const axis = normalizeAxis(node, numberOf(node, "axis", 0), x.shape.length);
    const extent = x.shape[axis]!;
    checkConstantIndices(node, c, inputs[1]!, [extent]);
    c.needs(extent, outputs[0]!);
    const count = countOf(indices.shape);
    const bytes = multiplyDims(countOf(x.shape.slice(axis + 1)), bytesPerElement[x.dtype]);
    const operands = [c.output(outputs[0]!), c.input(inputs[0]!), c.input(inputs[1]!)] as const;
    const rows = multiplyDims(countOf(x.shape.slice(0, axis)), count);
    c.emit("gather", [...operands, extent, count, bytes], rows);
  },
};

export const gatherTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: { weight: 0, table: true },
  evaluate(node, [x, indices]) {
    const at = numbersIn(indices);
    if (!x || !indices || !at) return undefined;
    const axis = normalizeAxis(node, numberOf(node, "axis", 0), x.shape.length);
    const extent = x.shape[axis]!;
    const outer = sizeOf(x.shape.slice(0, axis));
    const inner = sizeOf(x.shape.slice(axis + 1));
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    const data = listLike(x, sizeOf(shape));
    let to = 0;
    for (let o = 0; o < outer; o++)
      for (const index of at) {
        if (index < -extent || index >= extent)
          throw opError(node, "index out of range", {
            expected: `${-extent} to ${extent - 1}`,
            got: `${index}`,
          });
        const from = (o * extent + (index < 0 ? index + extent : index)) * inner;
        for (let n = 0; n < inner; n++) data[to++] = x.data[from + n]!;
      }
    return [{ dtype: x.dtype, shape, data }];
  },
};
