// Layouts of ops that have a gradient and a value of the forward pass: the value decides.

import type { Op } from "../../ops/op";

/** Everything lies as the second input does. */
export const asSecond: NonNullable<Op["layout"]> = (node, [, saved = "plain"]) => ({
  inputs: node.inputs.map(() => saved),
  outputs: node.outputs.map(() => saved),
});

/** Images with the channels last, every one of them. */
export const images: NonNullable<Op["layout"]> = (node) => ({
  inputs: node.inputs.map(() => "channelsLast"),
  outputs: ["channelsLast"],
});
