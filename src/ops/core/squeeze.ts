// Squeeze: leaves out dimensions of 1, those in `axes` or all. The output is the input's memory.

import { axesOf } from "../axes";
import { inputType, type Op, opError } from "../op";
import { sizesIn } from "../sizes";
import { reshapeTraits, reshaping, retype } from "./reshape";

const infer: Op["infer"] = (node, inputs) => {
  const x = inputType(node, inputs, 0);
  const axes = axesOf(node, x.shape.length);
  if (!axes) sizesIn(`${node.op} "${node.name}"`, x.shape);
  // Whether a symbol is 1 is seen in numbers.
  const wrong = axes?.find((axis) => typeof x.shape[axis] === "number" && x.shape[axis] !== 1);
  if (wrong !== undefined)
    throw opError(node, `dimension ${wrong} cannot be left out`, { expected: "1", got: `${x.shape[wrong]}` });
  return retype(
    x,
    x.shape.filter((dim, axis) => (axes ? !axes.includes(axis) : dim !== 1)),
  );
};

export const squeeze = reshaping(infer, { inputs: 2, parameters: { 1: "axes" } });

export const squeezeTraits = reshapeTraits;
