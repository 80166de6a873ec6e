// The layout rules most ops share.

import type { Layout } from "./lowering";
import type { Op } from "./op";

type LayoutRule = NonNullable<Op["layout"]>;

/** Channels of a flattened image, C of `flat:C`; undefined of other layouts. */
export const flatChannels = (layout: Layout): number | undefined =>
  layout.startsWith("flat:") ? Number(layout.slice(5)) : undefined;

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
