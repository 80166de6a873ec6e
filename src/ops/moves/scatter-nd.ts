// ScatterND: the input with slices replaced by updates, or reduced with them, each at the place that a tuple of indices says. Of updates of
// one place the last one stays. With `batch_dims`, which gradients of GatherND have, tuples lie within a batch.

import { countOf } from "../../graph/symbols";
import { needSame } from "../equal";
import { inputType, type Op, type Traits } from "../op";
import { keepsRows, numberedPlaces, type Tuples, tuplesOf } from "./gather-nd";
import { checkUpdates, indexType, outputOf, reductionOf, typeNumber } from "./indices";

/** The shape of updates. */
const putBy = ({ batch, tuples, slice }: Tuples) => [...batch, ...tuples, ...slice];

/** ONNX ScatterND-18. */
export const scatterND: Op = {
  inputs: 3,
  attributes: ["batch_dims", "reduction"],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    checkUpdates(node, inputs, 2, x.dtype, putBy(tuplesOf(node, x.shape, indexType(node, inputs, 1).shape)));
    reductionOf(node, x.dtype);
    return [x];
  },
  rows: keepsRows,
  lower({ node, inputs: [x = "", indices = "", updates = ""], outputs: [y = ""] }, c) {
    const { dtype, shape } = c.type(x);
    const tuples = tuplesOf(node, shape, c.type(indices).shape);
    needSame(c, c.type(updates).shape, putBy(tuples));
    for (const extent of tuples.extents) c.needs(extent, updates);
    const to = outputOf(node, c, y, x);
    const { places, count, rows } = numberedPlaces(node, c, indices, tuples);
    const kinds = [typeNumber[dtype], reductionOf(node, dtype)] as const;
    c.emit("scatter", [to, c.input(updates), places, ...kinds, count, countOf(tuples.slice)], rows);
  },
};

export const scatterNDTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
