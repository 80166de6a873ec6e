// Cross-layer equalization: moves scale between neighbouring layers, channel by channel, until both need the same range
// for every channel (Nagel et al. 2019, arXiv:1906.04721, §4.1). The function of the float graph stays; what changes is
// that one scale for a whole activation no longer has to serve channels a thousand times apart. Needs no data.

import type { Graph } from "../graph/graph";
import type { Tensor } from "../graph/tensor";
import type { ToolkitOps } from "../ops/infer";
import type { LinearLayer } from "../ops/linear-layer";
import { type EqualizablePair, findPairs, type NotEqualized } from "./equalize-pairs";

/** A round of factors that all lie within 1 ± this ends the iteration. */
export const EQUALIZE_TOLERANCE = 1e-3;
/** Most rounds over all pairs. The mobile nets tried settle in 11 to 14. */
export const EQUALIZE_ROUNDS = 40;

/**
 * How far an output gets from its bias, in units of the layer's largest weight. Measured on images, the median channel of a
 * layer gets 5 to 37 away (mobile and resnet8, medians over layers 12 and 19); a low value lets the weights decide.
 */
const BIAS_SHARE = 8;

/** Two layers whose channels were given like ranges. */
export interface EqualizedPair {
  readonly first: string;
  readonly second: string;
  readonly channels: number;
  /** Largest over smallest range of the channels between the layers, estimated from weights and bias. */
  readonly spreadBefore: number;
  readonly spreadAfter: number;
}

export interface EqualizeReport {
  readonly pairs: readonly EqualizedPair[];
  readonly skipped: readonly NotEqualized[];
  readonly rounds: number;
}

const { abs, max, sqrt } = Math;

/** Returns the graph with equalized constants. Depends on the graph alone: the same file gives the same factors. */
export function equalize(graph: Graph, registry: ToolkitOps): { graph: Graph; report: EqualizeReport } {
  const { pairs, skipped } = findPairs(graph, registry);
  const layers = new Set(pairs.flatMap(({ first, second }) => [first, second]));
  const working = new Map<string, Float32Array>();
  for (const layer of layers) {
    const { weight, bias } = layer;
    working.set(weight, tapMaxima(layer, graph.constants.get(weight)!.data as Float32Array));
    if (bias !== undefined) working.set(bias, Float32Array.from(graph.constants.get(bias)!.data, abs));
  }
  const factors = pairs.map(({ channels }) => new Float64Array(channels).fill(1));
  const spreads = pairs.map((pair) => spreadOf(outputRanges(pair, working)));
  const rounds = iterate(pairs, working, factors);
  const constants = new Map(graph.constants);
  const replace = (name: string, data: Float32Array) =>
    constants.set(name, { ...(constants.get(name) as Tensor), data });
  // The factors of all rounds are applied to the original numbers at once, so each is rounded once a side.
  for (const { weight, bias } of layers)
    for (const name of [weight, bias])
      if (name !== undefined) replace(name, Float32Array.from(graph.constants.get(name)!.data));
  const dataOf = (name: string) => constants.get(name)!.data as Float32Array;
  pairs.forEach((pair, i) => {
    scalePair(pair, factors[i]!, dataOf, ({ taps }) => taps);
  });
  const report = {
    pairs: pairs.map((pair, i) => ({
      first: pair.first.node.name,
      second: pair.second.node.name,
      channels: pair.channels,
      spreadBefore: spreads[i]!,
      spreadAfter: spreadOf(outputRanges(pair, working)),
    })),
    skipped,
    rounds,
  };
  return { graph: { ...graph, constants }, report };
}

/**
 * Largest |w| over the kernel of each output and input, [outputs, inputs]: all that ranges ask of weights. Rounding keeps the order of
 * numbers, so the largest of scaled weights is to the bit the scaled largest.
 */
function tapMaxima({ taps }: LinearLayer, weights: Float32Array): Float32Array {
  const maxima = new Float32Array(weights.length / taps);
  for (let i = 0, at = 0; i < maxima.length; i++) {
    let most = 0;
    for (const end = at + taps; at < end; at++) most = max(most, abs(weights[at]!));
    maxima[i] = most;
  }
  return maxima;
}

/**
 * s = √(r1·r2) / r2 (equation 9 there): the first layer's channel is divided by it, the second's multiplied, and both
 * ranges become √(r1·r2). Pairs share layers, so this is repeated until nothing moves.
 */
function iterate(
  pairs: readonly EqualizablePair[],
  working: ReadonlyMap<string, Float32Array>,
  factors: readonly Float64Array[],
): number {
  let round = 0;
  for (let change = Infinity; round < EQUALIZE_ROUNDS && change > EQUALIZE_TOLERANCE; round++) {
    change = 0;
    pairs.forEach((pair, p) => {
      const r1 = outputRanges(pair, working);
      const r2 = inputRanges(pair, working);
      const step = new Float64Array(pair.channels).fill(1);
      for (let c = 0; c < pair.channels; c++) {
        const factor = sqrt(r1[c]! / r2[c]!);
        // A channel that is always zero, or that nobody reads, keeps its scale.
        if (!(r1[c]! > 0 && r2[c]! > 0 && Number.isFinite(factor) && factor > 0)) continue;
        step[c] = factor;
        factors[p]![c]! *= factor;
        change = max(change, abs(factor - 1));
      }
      scalePair(
        pair,
        step,
        (name) => working.get(name)!,
        () => 1,
      );
    });
  }
  return round;
}

/**
 * Range of each output channel of the first layer: max |w|, or |b| / `BIAS_SHARE` where that is more. Without the bias, a
 * channel of tiny weights would have its bias scaled up until it alone sets the range of the activation.
 */
function outputRanges(
  { first, channels }: EqualizablePair,
  maxima: ReadonlyMap<string, Float32Array>,
): Float64Array {
  const { inputs } = first;
  const ranges = new Float64Array(channels);
  const [weights, bias] = [maxima.get(first.weight)!, maxima.get(first.bias ?? "")];
  for (let output = 0, at = 0; output < channels; output++) {
    let most = bias ? bias[output]! / BIAS_SHARE : 0;
    for (const end = at + inputs; at < end; at++) most = max(most, weights[at]!);
    ranges[output] = most;
  }
  return ranges;
}

/** max |w| of the second layer over all that reads a channel. */
function inputRanges(
  { second, channels, repeat }: EqualizablePair,
  maxima: ReadonlyMap<string, Float32Array>,
): Float64Array {
  const { outputs, inputs, perGroup } = second;
  const ranges = new Float64Array(channels);
  const weights = maxima.get(second.weight)!;
  for (let output = 0, at = 0; output < outputs; output++) {
    const start = Math.floor(output / perGroup) * inputs;
    for (let input = start; input < start + inputs; input++, at++) {
      const c = (input - (input % repeat)) / repeat;
      ranges[c] = max(ranges[c]!, weights[at]!);
    }
  }
  return ranges;
}

/** Divides what the first layer's channels have by factors, and multiplies what reads them: `taps` numbers a pair of output and input. */
function scalePair(
  { first, second, repeat }: EqualizablePair,
  factors: Float64Array,
  dataOf: (name: string) => Float32Array,
  tapsOf: (layer: LinearLayer) => number,
): void {
  const made = dataOf(first.weight);
  const perOutput = first.inputs * tapsOf(first);
  for (let output = 0, at = 0; output < first.outputs; output++)
    for (const end = at + perOutput; at < end; at++) made[at] = made[at]! / factors[output]!;
  if (first.bias !== undefined) {
    const bias = dataOf(first.bias);
    for (let c = 0; c < bias.length; c++) bias[c] = bias[c]! / factors[c]!;
  }
  const read = dataOf(second.weight);
  const taps = tapsOf(second);
  for (let output = 0, at = 0; output < second.outputs; output++) {
    const start = Math.floor(output / second.perGroup) * second.inputs;
    for (let input = start; input < start + second.inputs; input++) {
      const factor = factors[(input - (input % repeat)) / repeat]!;
      for (const end = at + taps; at < end; at++) read[at] = read[at]! * factor;
    }
  }
}

/** Largest over smallest of the ranges that are not zero. */
function spreadOf(ranges: Float64Array): number {
  const used = ranges.filter((range) => range > 0);
  return used.length === 0 ? 1 : used.reduce((a, b) => max(a, b)) / used.reduce((a, b) => Math.min(a, b));
}
