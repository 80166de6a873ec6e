// Where: x where the condition holds, y elsewhere, all three broadcast.

import { sizeOf } from "../../graph/tensor";
import { broadcastLayout, broadcastShapes, broadcastTypes } from "../broadcast";
import { expandKnown } from "../known";
import { inputType, type Op, type Traits } from "../op";
import { checkType, emitBroadcast, operandsOf, resultOf } from "./pairwise";

/** ONNX Where-16. */
export const where: Op = {
  inputs: 3,
  infer(node, inputs) {
    const condition = inputType(node, inputs, 0);
    checkType(node, condition.dtype, ["bool"]);
    const { dtype, shape } = broadcastTypes(node, inputs.slice(1), 2);
    return [{ dtype, shape: broadcastShapes(node, condition.shape, shape) }];
  },
  rows: true,
  layout: broadcastLayout,
  lower(unit, c) {
    const [condition, x, y] = operandsOf(unit, c);
    const result = resultOf(unit, c, [1, 2]);
    const layout = c.layout(unit.outputs[0]!);
    emitBroadcast(unit.node, c, "select", result.dtype, result, [x!, y!, condition!], layout);
  },
};

export const whereTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  evaluate(node, inputs) {
    const [condition, x, y] = inputs;
    if (!condition || !x || !y) return undefined;
    const shape = broadcastShapes(node, condition.shape, broadcastShapes(node, x.shape, y.shape)) as number[];
    const [holds, yes, no] = [condition, x, y].map((known) => expandKnown(known, shape).data);
    const data = Array.from({ length: sizeOf(shape) }, (_, i) => (holds![i] ? yes : no)![i]!);
    return [{ dtype: x.dtype, shape, data }];
  },
};
