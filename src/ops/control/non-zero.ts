// NonZero: the indices of elements that are not 0, in row-major order, one column each. ONNX NonZero-13.

import type { Tensor } from "../../graph/tensor";
import { foundBy } from "../act";
import { stridesOf, tensorOf } from "../known";
import { inputType, type Known, type Op, type Traits } from "../op";

function indicesIn({ shape, data }: Pick<Tensor, "shape" | "data">): Tensor {
  const at: number[] = [];
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) at.push(i);
  const indices = new Int32Array(shape.length * at.length);
  const strides = stridesOf(shape);
  for (const [axis, stride] of strides.entries())
    for (let i = 0; i < at.length; i++)
      indices[axis * at.length + i] = Math.floor(at[i]! / stride) % shape[axis]!;
  return { dtype: "i32", shape: [shape.length, at.length], data: indices };
}

export const nonZero: Op = {
  infer: (node, inputs) => [
    { dtype: "i32", shape: [inputType(node, inputs, 0).shape.length, foundBy(node)[0]!] },
  ],
  finds: () => 1,
  act(_, [x]) {
    const indices = indicesIn(x!);
    return { outputs: [indices], found: [indices.shape[1]!] };
  },
};

const indicesOf = (x: Known | undefined) => {
  const known = x && tensorOf(x);
  return known && indicesIn(known);
};

export const nonZeroTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  follows: (_, [x]) => [indicesOf(x)?.shape[1]],
  evaluate(_, [x]) {
    const indices = indicesOf(x);
    return indices && [indices];
  },
};
