// Range: start, start + delta, … up to but not including limit. Only folded. How many there are shows in the values
// of its inputs, not in their types: until it is folded, a symbol of its own stands for the length.

import { allocate } from "../../graph/tensor";
import { numbersIn } from "../known";
import { inputType, type Op, opError, type Traits } from "../op";

/** A longer range is not folded; nothing that describes a shape comes near. */
export const MAX_RANGE = 2 ** 20;

export const range: Op = {
  inputs: 3,
  infer: (node, inputs) => [
    {
      dtype: inputType(node, inputs, 0).dtype,
      shape: [`${(node.outputs[0] ?? "").replace(/[^A-Za-z0-9_]/g, "_")}_length`],
    },
  ],
  evaluate(node, [first, last, step]) {
    const [start, limit, delta] = [first, last, step].map((known) => numbersIn(known)?.[0]);
    if (start === undefined || limit === undefined || delta === undefined) return undefined;
    if (delta === 0) throw opError(node, "delta is 0", { expected: "any other step" });
    const length = Math.max(0, Math.ceil((limit - start) / delta));
    if (length > MAX_RANGE) return undefined;
    const { dtype } = first!;
    const end = start + Math.max(0, length - 1) * delta;
    if (dtype === "i32" && [start, end].some((value) => value !== (value | 0))) return undefined;
    const data = allocate(dtype, length);
    for (let i = 0; i < length; i++) data[i] = start + i * delta;
    return [{ dtype, shape: [length], data }];
  },
};

export const rangeTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
};
