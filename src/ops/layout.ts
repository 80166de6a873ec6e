// The layout rules most ops share.

import type { Op } from "./op";

type LayoutRule = NonNullable<Op["layout"]>;

/** Input, output and the value that is added to it have the channels last; all others are constants. */
export const channelsLast: LayoutRule = (_, inputs) => ({
  inputs: inputs.map((_, i) => (i === 0 || i === 3 ? "channelsLast" : "plain")),
  outputs: ["channelsLast"],
});

/** The output is as the first input is, whatever that may be. */
export const asInput: LayoutRule = (node, [first = "plain"]) => ({
  inputs: node.inputs.map((_, i) => (i === 0 ? first : "plain")),
  outputs: node.outputs.map(() => first),
});
