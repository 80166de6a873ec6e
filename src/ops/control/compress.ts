// Compress: the slices along `axis`, or the elements without one, where a condition holds. ONNX Compress-11.

import { foundBy } from "../act";
import { normalizeAxis } from "../axes";
import { inputType, numberOf, type Op, opError } from "../op";
import { alongAxis, findingTraits, pick } from "./finding";

export const compress: Op = {
  inputs: 2,
  attributes: ["axis"],
  infer(node, inputs) {
    const [x, condition] = [inputType(node, inputs, 0), inputType(node, inputs, 1)];
    if (condition.dtype !== "bool" || condition.shape.length !== 1)
      throw opError(node, "condition does not fit", {
        expected: "bool [n]",
        got: `${condition.dtype} [${condition.shape}]`,
      });
    const [count] = foundBy(node);
    if (node.attributes.axis === undefined) return [{ dtype: x.dtype, shape: [count!] }];
    const axis = normalizeAxis(node, numberOf(node, "axis", 0), x.shape.length);
    return [{ dtype: x.dtype, shape: x.shape.with(axis, count!) }];
  },
  finds: () => 1,
  act(node, [x, condition]) {
    const [from, axis] = alongAxis(node, x!);
    const kept = Array.from(condition!.data, (holds, i) => (holds ? i : -1)).filter((i) => i >= 0);
    const outside = kept.find((i) => i >= from.shape[axis]!);
    if (outside !== undefined)
      throw opError(node, "condition is longer than what it picks from", {
        expected: `at most ${from.shape[axis]}`,
        got: `${outside}`,
      });
    return { outputs: [pick(from, axis, kept)], found: [kept.length] };
  },
};

export const compressTraits = findingTraits;
