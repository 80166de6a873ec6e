// Where: x where the condition holds, y elsewhere, all three broadcast. Only folded.

import { sizeOf } from "../../graph/tensor";
import { broadcastShapes } from "../broadcast";
import { expandKnown } from "../known";
import { inputType, type Op, type Traits } from "../op";

export const where: Op = {
  inputs: 3,
  infer(node, inputs) {
    const [condition, x, y] = [0, 1, 2].map((i) => inputType(node, inputs, i));
    const shape = broadcastShapes(node, condition!.shape, broadcastShapes(node, x!.shape, y!.shape));
    return [{ dtype: x!.dtype, shape }];
  },
  evaluate(node, inputs) {
    const [condition, x, y] = inputs;
    if (!condition || !x || !y) return undefined;
    const shape = broadcastShapes(node, condition.shape, broadcastShapes(node, x.shape, y.shape)) as number[];
    const [holds, yes, no] = [condition, x, y].map((known) => expandKnown(known, shape).data);
    const data = Array.from({ length: sizeOf(shape) }, (_, i) => (holds![i] ? yes : no)![i]!);
    return [{ dtype: x.dtype, shape, data }];
  },
};

export const whereTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
