// Normalization of groups of channels, each channel scaled and moved on its own.

import type { Node } from "../../graph/graph";
import { countOf, formatShape, type Shape } from "../../graph/symbols";
import { floatType, numberOf, type Op, opError, type Traits } from "../op";

/** How many groups the channels of a node's input make. */
type Groups = (node: Node, channels: number) => number;

/** Sizes of a normalization of x. */
export function groupSizes(node: Node, shape: Shape, groupsOf: Groups) {
  const [samples, channels, ...rest] = shape;
  if (samples === undefined || typeof channels !== "number")
    throw opError(node, "input 0 does not fit", {
      expected: "samples, a known number of channels, and more",
      got: formatShape(shape),
    });
  const groups = groupsOf(node, channels);
  if (!Number.isSafeInteger(groups) || groups < 1 || channels % groups !== 0)
    throw opError(node, "channels do not make groups of one size", {
      expected: `a divisor of ${channels}`,
      got: `${groups}`,
    });
  return { samples, channels, groups, runs: channels / groups, size: countOf(rest) };
}

// @__NO_SIDE_EFFECTS__
export function normalization(groupsOf: Groups, attributes: readonly string[]): Op {
  return {
    inputs: 3,
    attributes,
    infer(node, inputs) {
      const x = floatType(node, inputs, 0);
      const { channels, groups } = groupSizes(node, x.shape, groupsOf);
      for (const i of [1, 2]) {
        const { shape } = floatType(node, inputs, i);
        const fits = [channels, groups].some((count) => formatShape(shape) === `[${count}]`);
        if (!fits || formatShape(shape) !== formatShape(floatType(node, inputs, 1).shape))
          throw opError(node, `input ${i} does not fit`, {
            expected: `one number a channel, [${channels}]${groups === channels ? "" : `, or a group, [${groups}]`}`,
            got: formatShape(shape),
          });
      }
      return [x];
    },
    rows: (_, [x]) => x!.axis === 0,
    lower({ node, inputs, outputs }, c) {
      const [x, scale, bias] = inputs as [string, string, string];
      const { samples, groups, runs, size } = groupSizes(node, c.type(x).shape, groupsOf);
      const places = [c.output(outputs[0]!, x), c.input(x), c.input(scale), c.input(bias)] as const;
      const scales = c.type(scale).shape[0]!;
      const epsilon = numberOf(node, "epsilon", 1e-5);
      c.emit(
        "groupNormalization",
        [...places, groups, runs, size, scales, epsilon],
        countOf([samples, groups]),
      );
    },
  };
}

export const normalizationTraits: Traits = {
  codes: "none",
  homogeneous: undefined,
  trained: { weight: 1, bias: 2 },
};
