// ReverseSequence: of each of the batch, the first so many elements along the axis of time in reverse order.

import type { Node } from "../../graph/graph";
import { countOf, formatShape, multiplyDims, type Shape } from "../../graph/symbols";
import { bytesPerElement } from "../../graph/tensor";
import { mayEqual, needEqual } from "../equal";
import { inputType, numberOf, type Op, opError, type Traits } from "../op";
import { indexType } from "./indices";

/** The axes of time and batch: 0 and 1, or 1 and 0. */
function axesOfTime(node: Node): { time: number; batch: number } {
  const [time, batch] = [numberOf(node, "time_axis", 0), numberOf(node, "batch_axis", 1)];
  if (time + batch === 1 && time * batch === 0) return { time, batch };
  throw opError(node, "its axes do not fit", { expected: "0 and 1", got: `${time} and ${batch}` });
}

/** ONNX ReverseSequence-10. */
export const reverseSequence: Op = {
  inputs: 2,
  attributes: ["batch_axis", "time_axis"],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    const { shape } = indexType(node, inputs, 1);
    const expected: Shape = [x.shape[axesOfTime(node).batch] ?? -1];
    if (x.shape.length < 2 || shape.length !== 1 || !mayEqual(shape[0]!, expected[0]!))
      throw opError(node, "its lengths do not fit", {
        expected: `${formatShape(expected)}, the second axis of two`,
        got: formatShape(shape),
      });
    return [x];
  },
  rows: (node, [x, lengths]) => x!.axis === axesOfTime(node).batch && lengths!.axis === 0,
  lower({ node, inputs: [x = "", lengths = ""], outputs: [y = ""] }, c) {
    const { dtype, shape } = c.type(x);
    const { time, batch } = axesOfTime(node);
    needEqual(c, c.type(lengths).shape[0]!, shape[batch]!);
    const sizes = [shape[time]!, shape[batch]!, time] as const;
    const bytes = multiplyDims(countOf(shape.slice(2)), bytesPerElement[dtype]);
    const places = [c.output(y), c.input(x), c.input(lengths)] as const;
    c.emit("reverseRows", [...places, ...sizes, bytes], multiplyDims(shape[0]!, shape[1]!));
  },
};

export const reverseSequenceTraits: Traits = { codes: "none", homogeneous: undefined, trained: undefined };
