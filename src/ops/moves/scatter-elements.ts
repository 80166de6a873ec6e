// ScatterElements: the input with elements replaced by updates, or reduced with them, at their own places but for `axis`, where an index
// says which. Of updates of one place the last one stays. Indices are read as those of Gather.

import { countOf, multiplyDims } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { emitCopy } from "../copy";
import { sameShape } from "../core/reshape";
import { needSame } from "../equal";
import { inputType, type Op, type Traits } from "../op";
import { indexedAxis, keepsRows, needReach, reachOf } from "./gather-elements";
import {
  checkConstantIndices,
  checkUpdates,
  indexType,
  loopsOfPart,
  outputOf,
  reductionOf,
  typeNumber,
} from "./indices";

/** ONNX ScatterElements-18. */
export const scatterElements: Op = {
  inputs: 3,
  attributes: ["axis", "reduction"],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    const { shape } = indexType(node, inputs, 1);
    reachOf(node, x.shape, shape, indexedAxis(node, x.shape));
    checkUpdates(node, inputs, 2, x.dtype, shape);
    reductionOf(node, x.dtype);
    return [x];
  },
  rows: (node, inputs) => inputs[2]!.axis === inputs[1]!.axis && keepsRows(node, inputs),
  lower({ node, inputs: [x = "", indices = "", updates = ""], outputs: [y = ""] }, c) {
    const { dtype, shape } = c.type(x);
    const { shape: put } = c.type(indices);
    const axis = indexedAxis(node, shape);
    const extent = shape[axis]!;
    checkConstantIndices(node, c, indices, [extent]);
    c.needs(extent, updates);
    const all = outputOf(node, c, y, x);
    const reach = reachOf(node, shape, put, axis);
    needReach(c, reach, shape, updates);
    needSame(c, c.type(updates).shape, put);
    const isWhole = sameShape(reach, shape);
    const part = isWhole ? all : c.temporary(multiplyDims(countOf(reach), bytesPerElement[dtype]));
    const loops = loopsOfPart(shape, reach);
    if (!isWhole) emitCopy(node, c, dtype, part, all, loops);
    const [count, inner] = [put[axis]!, countOf(put.slice(axis + 1))];
    const operands = [part, c.input(updates), c.input(indices)] as const;
    const kinds = [typeNumber[dtype], reductionOf(node, dtype)] as const;
    const lines = multiplyDims(countOf(put.slice(0, axis)), inner);
    c.emit("scatterElements", [...operands, ...kinds, extent, count, inner], lines);
    const back = loops.map((loop) => ({ extent: loop.extent, y: loop.x, x: loop.y }));
    if (!isWhole) emitCopy(node, c, dtype, all, part, back);
  },
};

export const scatterElementsTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
};
