// Dropout outside of training: y = x. Its second output, the mask of what was kept, is all true. Attribute `ratio` is the part
// that training drops.

import type { Node } from "../../graph/graph";
import { countOf } from "../../graph/symbols";
import { emitCopy } from "../copy";
import { inputType, numberOf, type Op, type Traits } from "../op";
import { lowerAlias, lowerAliasOfCodes } from "./reshape";

const ratioOf = (node: Node): number => numberOf(node, "ratio", 0);

export const dropout: Op = {
  attributes: ["ratio"],
  infer(node, inputs) {
    const x = inputType(node, inputs, 0);
    return [x, { dtype: "bool", shape: x.shape }].slice(0, node.outputs.length) as never;
  },
  evaluate: (node, [x]) => (x && node.outputs.length === 1 ? [x] : undefined),
  rows: true,
  layout: (_, [layout = "plain"]) => ({ inputs: [layout], outputs: [layout, "plain"] }),
  lower(unit, c) {
    lowerAlias(unit, c);
    const mask = unit.outputs[1];
    if (!mask) return;
    const loop = { extent: countOf(c.type(mask).shape), y: 1, x: 0 };
    emitCopy(unit.node, c, "bool", c.output(mask), c.data(Uint8Array.of(1)), [loop]);
  },
  lowerInteger: lowerAliasOfCodes,
};

export const dropoutTraits: Traits = {
  codes: "moves",
  homogeneous: () => true,
  trained: undefined,
  idle: (node) => ratioOf(node) === 0,
  drops: ratioOf,
};
