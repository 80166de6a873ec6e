// Expand: the input repeated along the dimensions where it has 1, to the broadcast of its shape and `shape`.

import type { Node } from "../../graph/graph";
import type { Shape } from "../../graph/symbols";
import { dimsOf, missing } from "../axes";
import { broadcastShapes, isWithin } from "../broadcast";
import { emitCopy, memoryStrides } from "../copy";
import { sameShape } from "../core/reshape";
import { expandKnown, numericShape } from "../known";
import { inputType, type Op, type Traits } from "../op";
import { sizesIn } from "../sizes";

function wanted(node: Node): Shape {
  const shape = dimsOf(node, "shape");
  if (!shape) throw missing(node, "shape");
  return shape;
}

const expanded = (node: Node, from: Shape): Shape => broadcastShapes(node, from, wanted(node));

/** Whether both shapes broadcast to the result whatever a run finds. */
const fits = (node: Node, from: Shape, to: Shape): boolean =>
  isWithin(from, to) && isWithin(wanted(node), to);

export const expand: Op = {
  inputs: 2,
  parameters: { 1: "shape" },
  open: [1],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return [{ dtype: x.dtype, shape: expanded(node, x.shape) }];
  },
  rows: true,
  lower({ node, inputs, outputs }, c) {
    const [input, output] = [inputs[0]!, outputs[0]!];
    const { dtype, shape: from } = c.type(input);
    const { shape } = c.type(output);
    // Which dimensions are repeated, and whether they can be, is seen in numbers where symbols do not tell.
    if (!fits(node, from, shape)) sizesIn(`${node.op} "${node.name}"`, [...from, ...wanted(node), ...shape]);
    if (sameShape(from, shape)) return c.alias(output, input);
    const xStrides = memoryStrides(from, "plain");
    const yStrides = memoryStrides(shape, "plain");
    const skipped = shape.length - from.length;
    const loops = shape.map((extent, i) => ({
      extent,
      y: yStrides[i]!,
      x: i < skipped || from[i - skipped] === 1 ? 0 : xStrides[i - skipped]!,
    }));
    emitCopy(node, c, dtype, c.output(output), c.input(input), loops);
  },
};

export const expandTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  idle: (node, x, y) => sameShape(x.shape, y.shape) && fits(node, x.shape, y.shape),
  evaluate(node, [x]) {
    const shape = x && numericShape(expanded(node, x.shape));
    return shape && fits(node, x.shape, shape) ? [expandKnown(x, shape)] : undefined;
  },
};
