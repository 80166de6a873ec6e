// Flatten: all dimensions before `axis` become one, all others another. The output is the input's memory.

import { countOf } from "../../graph/symbols";
import { normalizeAxis } from "../axes";
import { inputType, numberOf, type Op } from "../op";
import { reshapeTraits, reshaping, retype } from "./reshape";

const infer: Op["infer"] = (node, inputs) => {
  const x = inputType(node, inputs, 0);
  const axis = numberOf(node, "axis", 1);
  const rank = x.shape.length;
  const at = axis === rank ? rank : normalizeAxis(node, axis, rank);
  return retype(x, [countOf(x.shape.slice(0, at)), countOf(x.shape.slice(at))]);
};

export const flatten = reshaping(infer, { attributes: ["axis"] });

export const flattenTraits = reshapeTraits;
