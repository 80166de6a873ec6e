// Unique: the different elements, or slices along `axis`, sorted or in their order; with the index of the first of each, the index of
// each among them, and how often each is there. ONNX Unique-11.

import type { Shape } from "../../graph/symbols";
import { countOf } from "../../graph/symbols";
import { type Tensor, tensor } from "../../graph/tensor";
import { foundBy } from "../act";
import { normalizeAxis } from "../axes";
import { inputType, numberOf, type Op } from "../op";
import { alongAxis, findingTraits, pick } from "./finding";

/** The order of two slices: that of their first different elements, NaN last. */
function compare(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < a.length; i++) {
    const [p, q] = [a[i]!, b[i]!];
    if (p === q || (Number.isNaN(p) && Number.isNaN(q))) continue;
    if (Number.isNaN(p) || Number.isNaN(q)) return Number.isNaN(p) ? 1 : -1;
    return p < q ? -1 : 1;
  }
  return 0;
}

export const unique: Op = {
  attributes: ["axis", "sorted"],
  infer(node, inputs) {
    const { dtype, shape } = inputType(node, inputs, 0);
    const [count] = foundBy(node);
    const axis = node.attributes.axis;
    const along = axis === undefined ? 0 : normalizeAxis(node, numberOf(node, "axis", 0), shape.length);
    const values: Shape = axis === undefined ? [count!] : shape.with(along, count!);
    const all = axis === undefined ? countOf(shape) : shape[along]!;
    const indices = (n: Shape[number]) => ({ dtype: "i32", shape: [n] }) as const;
    return [{ dtype, shape: values }, indices(count!), indices(all), indices(count!)];
  },
  finds: () => 1,
  act(node, [x]) {
    const [from, axis] = alongAxis(node, x!);
    const slices = Array.from({ length: from.shape[axis]! }, (_, i) => pick(from, axis, [i]).data);
    const order = slices.map((_, i) => i).sort((a, b) => compare(slices[a]!, slices[b]!) || a - b);
    /** The first of its kind, for each slice. */
    const first = new Int32Array(slices.length);
    const kinds: number[] = [];
    for (const [at, i] of order.entries()) {
      const before = order[at - 1];
      const isNew = before === undefined || compare(slices[before]!, slices[i]!) !== 0;
      if (isNew) kinds.push(i);
      first[i] = kinds.at(-1)!;
    }
    if (numberOf(node, "sorted", 1) === 0) kinds.sort((a, b) => a - b);
    const place = new Map(kinds.map((i, at) => [i, at]));
    const inverse = Int32Array.from(first, (i) => place.get(i)!);
    const counts = new Int32Array(kinds.length);
    for (const at of inverse) counts[at]!++;
    const ints = (values: ArrayLike<number>): Tensor => tensor("i32", [values.length], values);
    const outputs = [pick(from, axis, kinds), ints(kinds), ints(inverse), ints(counts)];
    return { outputs: node.outputs.map((_, i) => outputs[i]!), found: [kinds.length] };
  },
};

export const uniqueTraits = findingTraits;
