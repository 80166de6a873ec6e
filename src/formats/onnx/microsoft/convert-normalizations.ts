// Normalizations of a sum, and of the sum of embeddings, as ONNX Runtime fuses them.

import { Parts } from "../parts";
import type { Conversion, Source } from "../source";

/** Statistics that only training reads. */
function refuseStatistics(source: Source, outputs: readonly string[]): void {
  if (outputs.some((name) => name !== ""))
    throw source.error("it gives means and deviations, which only training reads", {
      hint: "Export the model for inference",
    });
}

/** input + skip + bias, normalized; the sum is the last output. */
function ofSum(source: Source, op: string, factors: readonly string[], bias: string): ReturnType<Conversion> {
  const [x = "", skip = ""] = source.inputs;
  const [y = "", mean = "", deviation = "", sum = ""] = source.outputs;
  refuseStatistics(source, [mean, deviation]);
  const parts = new Parts(source);
  const epsilon = source.attribute("epsilon") ?? 1e-12;
  const terms = bias === "" ? [x, skip] : [parts.make("Add", "input_skip", [x, skip]), bias];
  if (sum !== "") parts.makes("Add", sum, terms);
  const total = sum === "" ? parts.make("Add", "sum", terms) : sum;
  return parts.last(op, [total, ...factors], { axis: -1, epsilon }, [y]);
}

export const skipLayerNormalization: Conversion = (source) => {
  const [, , gamma = "", beta = "", bias = ""] = source.inputs;
  return ofSum(source, "LayerNormalization", beta === "" ? [gamma] : [gamma, beta], bias);
};

export const skipSimplifiedLayerNormalization: Conversion = (source) => {
  const [, , gamma = "", bias = ""] = source.inputs;
  return ofSum(source, "RMSNormalization", [gamma], bias);
};

/** Rows of tables of words, positions and segments, summed and normalized; how many of a mask's numbers are 1, and the sum. */
export const embedLayerNormalization: Conversion = (source) => {
  const [ids = "", segments = "", words = "", positions = ""] = source.inputs;
  const [segmentTable = "", gamma = "", beta = "", mask = "", positionIds = ""] = source.inputs.slice(4);
  const [y = "", counts = "", total = ""] = source.outputs;
  source.ignore("mask_index_type");
  const epsilon = source.attribute("epsilon") ?? 1e-12;
  const parts = new Parts(source);
  const rows = (what: string, table: string, at: string) =>
    parts.make("Gather", what, [table, at], { axis: 0 });
  let at = positionIds;
  if (at === "") {
    const [zero, one] = [parts.scalar("zero", "i32", 0), parts.scalar("one", "i32", 1)];
    const tokens = parts.make("Gather", "tokens", [parts.make("Shape", "shape", [ids]), one], { axis: 0 });
    at = parts.make("Range", "positions", [zero, tokens, one]);
  }
  const both = [rows("word", words, ids), rows("position", positions, at)];
  const hasSegments = segments !== "" && segmentTable !== "";
  const last = hasSegments
    ? [parts.make("Add", "words_positions", both), rows("segment", segmentTable, segments)]
    : both;
  if (total !== "") parts.makes("Add", total, last);
  const sum = total === "" ? parts.make("Add", "sum", last) : total;
  if (counts !== "" && mask !== "") {
    const ones = parts.make("Equal", "is_one", [mask, parts.scalar("mask_one", "i32", 1)]);
    const whole = parts.make("Cast", "ones", [ones], { to: "i32" });
    parts.makes("ReduceSum", counts, [whole], { axes: [1], keepdims: 0 });
  } else if (counts !== "") {
    const none = parts.make("Mul", "none", [ids, parts.scalar("mask_zero", "i32", 0)]);
    parts.makes("ReduceMax", counts, [none], { axes: [1], keepdims: 0 });
  } else if (mask !== "") source.ignore(mask);
  return parts.last("LayerNormalization", [sum, gamma, beta], { axis: -1, epsilon }, [y]);
};
