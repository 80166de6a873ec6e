// Whether floats that are fed are such as a model was calibrated for: a look at some of them, beside the range by which its graph
// quantizes the input. Pixels of 0 … 255 for a model of 0 … 1 would all become the largest code, without an error.

import type { Graph, Input } from "../graph/graph";
import type { Constant, Tensor } from "../graph/tensor";
import type { Registry } from "../ops/infer";

/**
 * Widths of the range that numbers may lie beyond it. A range leaves out what is rare, and other data reach further, but not several times
 * as far; in other units (0 … 255 or 0 … 16 for 0 … 1, millivolts for volts) numbers are 10 to 1000 times as large.
 */
export const FAR = 4;
/** Feeds that are looked at: units show in the first runs, and later ones cost nothing. */
export const LOOKS = 64;
/** Numbers of a feed that are looked at, evenly spread. */
const NUMBERS = 256;

/** Takes an input and the numbers it was fed with. */
export type Look = (input: Input, fed: Tensor) => void;

/**
 * Warns of an input's numbers that lie far outside the range by which the graph quantizes it, once, which `told` keeps. Those of −1 … 1
 * never do: so are the random inputs of self-tests and benchmarks.
 */
export function lookOut(graph: Graph<Constant>, registry: Registry, told: WeakSet<object>): Look {
  let looks = LOOKS;
  return (input, { data }) => {
    if (looks-- <= 0 || told.has(input)) return;
    const range = rangeOf(graph, registry, input);
    if (!range) return;
    const [lo, hi] = range;
    const beyond = FAR * (hi - lo);
    const [least, most] = [Math.min(-1, lo - beyond), Math.max(1, hi + beyond)];
    for (let i = 0; i < data.length; i += Math.ceil(data.length / NUMBERS)) {
      const number = data[i]!;
      // NaN is in no range.
      if (number >= least && number <= most) continue;
      told.add(input);
      const { preprocessing } = input;
      const wayOut = preprocessing && !preprocessing.of ? "bytes (u8)" : "numbers as it was calibrated with";
      return console.warn(
        `octette: input "${input.name}" has ${number}, far outside ${rounded(lo)} … ${rounded(hi)}, its calibrated range. Feed ${wayOut}`,
      );
    }
  };
}

const rounded = (number: number) => Number(number.toPrecision(2));

/** Lowest and highest number that the first QuantizeLinear of an input has codes for. */
export function rangeOf(
  { nodes, constants }: Graph<Constant>,
  registry: Registry,
  { name }: Input,
): [number, number] | undefined {
  let value = name;
  for (const { op, inputs, outputs } of nodes) {
    if (inputs[0] !== value) continue;
    if (registry[op]?.moves) value = outputs[0]!;
    if (op !== "QuantizeLinear") continue;
    const [scale, zero] = [constants.get(inputs[1]!)?.data, constants.get(inputs[2] ?? "")];
    if (scale?.length !== 1) return undefined;
    const lowest = (zero?.dtype === "i8" ? -128 : 0) - (zero?.data?.[0] ?? 0);
    return [lowest * scale[0]!, (lowest + 255) * scale[0]!];
  }
  return undefined;
}
