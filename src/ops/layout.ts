// The layout rules most ops share.

import type { Op } from "./op";

type LayoutRule = NonNullable<Op["layout"]>;

/** First input and output have the channels last; the rest are constants. */
export const channelsLast: LayoutRule = (node) => ({
  inputs: node.inputs.map((_, i) => (i === 0 ? "channelsLast" : "plain")),
  outputs: ["channelsLast"],
});

/** The output is as the first input is, whatever that may be. */
export const asInput: LayoutRule = (node, [first = "plain"]) => ({
  inputs: node.inputs.map((_, i) => (i === 0 ? first : "plain")),
  outputs: node.outputs.map(() => first),
});
