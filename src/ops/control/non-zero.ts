// NonZero: the indices of elements that are not 0, in row-major order, one column each. ONNX NonZero-13.

import { foundBy } from "../act";
import { stridesOf } from "../known";
import { inputType, type Op } from "../op";
import { findingTraits } from "./finding";

export const nonZero: Op = {
  infer: (node, inputs) => [
    { dtype: "i32", shape: [inputType(node, inputs, 0).shape.length, foundBy(node)[0]!] },
  ],
  finds: () => 1,
  act(_, [x]) {
    const { shape, data } = x!;
    const at: number[] = [];
    for (let i = 0; i < data.length; i++) if (data[i] !== 0) at.push(i);
    const indices = new Int32Array(shape.length * at.length);
    const strides = stridesOf(shape);
    for (const [axis, stride] of strides.entries())
      for (let i = 0; i < at.length; i++)
        indices[axis * at.length + i] = Math.floor(at[i]! / stride) % shape[axis]!;
    return {
      outputs: [{ dtype: "i32", shape: [shape.length, at.length], data: indices }],
      found: [at.length],
    };
  },
};

export const nonZeroTraits = findingTraits;
