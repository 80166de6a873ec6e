// Bind: gives symbols the values of a tensor's elements, which a run computes. Shapes and parameters of later nodes mention them.
// Elements that are a shape for those of another value, whose own is `of`, get their meaning first: 0 and −1 stand for what is there.

import { countOf, isNatural } from "../../graph/symbols";
import { dimsOf } from "../axes";
import { resolve } from "../core/reshape";
import { inputType, type Op, opError, type Traits } from "../op";

/** Elements that one value may bind: a number for each dimension, or for each output of a Split. */
export const MAX_BOUND = 2 ** 10;

export const bind: Op = {
  infer(node, inputs) {
    inputType(node, inputs, 0);
    return [];
  },
  finds(node, inputs) {
    const { shape } = inputType(node, inputs, 0);
    const count = countOf(shape);
    if (typeof count === "number" && count <= MAX_BOUND) return count;
    throw opError(node, "the number of its elements must be known", {
      expected: `at most MAX_BOUND = ${MAX_BOUND}`,
      got: `${count}`,
    });
  },
  inputs: 2,
  attributes: ["allowzero"],
  parameters: { 1: "of" },
  act(node, [x]) {
    const elements = Array.from(x!.data);
    const of = dimsOf(node, "of");
    return { outputs: [], found: of ? (resolve(node, of, elements) as number[]) : elements };
  },
};

export const bindTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: undefined,
  gradient: "none",
  onnx: false,
  follows(node, [x]) {
    const of = dimsOf(node, "of");
    if (!x) return [];
    const elements = Array.from(x.data);
    if (!of) return elements;
    // What a symbol of any sign stands for, a run says.
    if (elements.some((dim) => typeof dim === "string" && !isNatural(dim)))
      return elements.map(() => undefined);
    return resolve(node, of, elements);
  },
};
