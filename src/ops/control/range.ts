// Range: start, start + delta, … up to but not including limit. Where a run computes these, it finds how many there are.

import type { Node } from "../../graph/graph";
import { ceilDims, isMonotone, maxDims, subtractDims } from "../../graph/symbols";
import { allocate, type DType, type Tensor } from "../../graph/tensor";
import { foundBy } from "../act";
import { numbersIn } from "../known";
import { inputType, type Op, opError, type Traits } from "../op";

/** Elements that a range may have: nothing that counts positions comes near. */
export const MAX_RANGE = 2 ** 20;

function rangeOf(
  node: Node,
  dtype: DType,
  [start, limit, delta]: readonly [number, number, number],
): Tensor | undefined {
  if (delta === 0) throw opError(node, "delta is 0", { expected: "any other step" });
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(length <= MAX_RANGE)) return undefined;
  const end = start + Math.max(0, length - 1) * delta;
  if (dtype === "i32" && [start, end].some((value) => value !== (value | 0))) return undefined;
  const data = allocate(dtype, length);
  for (let i = 0; i < length; i++) data[i] = start + i * delta;
  return { dtype, shape: [length], data };
}

export const range: Op = {
  inputs: 3,
  infer: (node, inputs) => [{ dtype: inputType(node, inputs, 0).dtype, shape: [foundBy(node)[0]!] }],
  finds: () => 1,
  act(node, inputs) {
    const given = inputs.map(({ data }) => data[0]!) as unknown as [number, number, number];
    const made = rangeOf(node, inputs[0]!.dtype, given);
    if (made) return { outputs: [made], found: [made.data.length] };
    throw opError(node, "the range is too long, or beyond 32 bits", {
      expected: `at most MAX_RANGE = ${MAX_RANGE} elements`,
      got: given.join(", "),
    });
  },
};

export const rangeTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  follows(_, known) {
    const [start, limit, delta] = known.map((one) => one?.data[0]);
    if (start === undefined || limit === undefined || typeof delta !== "number" || delta <= 0) return [];
    const length = maxDims(0, ceilDims(subtractDims(limit, start), delta));
    return isMonotone(length) ? [length] : [];
  },
  evaluate(node, inputs) {
    const given = inputs.map((known) => numbersIn(known)?.[0]);
    if (!given.every((number) => number !== undefined)) return undefined;
    const made = rangeOf(node, inputs[0]!.dtype, given as unknown as [number, number, number]);
    return made && [made];
  },
};
