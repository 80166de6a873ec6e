// Unsqueeze: inserts dimensions of 1 at `axes` of the output. The output is the input's memory.

import type { Dim } from "../../graph/symbols";
import { axesOf, dimsOf, missing } from "../axes";
import { inputType, type Op } from "../op";
import { reshapeTraits, reshaping, retype } from "./reshape";

const infer: Op["infer"] = (node, inputs) => {
  const x = inputType(node, inputs, 0);
  const given = dimsOf(node, "axes");
  if (!given) throw missing(node, "axes");
  const rank = x.shape.length + given.length;
  const axes = new Set(axesOf(node, rank));
  let next = 0;
  return retype(
    x,
    Array.from({ length: rank }, (_, axis): Dim => (axes.has(axis) ? 1 : x.shape[next++]!)),
  );
};

export const unsqueeze = reshaping(infer, { inputs: 2, parameters: { 1: "axes" } });

export const unsqueezeTraits = reshapeTraits;
