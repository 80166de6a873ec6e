// ConvTranspose, whose weights ONNX has inputs first.

import type { Conversion } from "./source";

/** The same operator, over weights with outputs first. */
export const convTranspose: Conversion = (source) => {
  const [x = "", w = "", ...bias] = source.inputs;
  const turned = source.fresh(`${source.name}_weights`);
  const group = source.int("group", 1);
  const names = { op: "ConvTransposeWeights", name: turned, inputs: [w], outputs: [turned] };
  return [
    source.node({ group }, names),
    source.node({ ...source.attributes(), group }, { inputs: [x, turned, ...bias] }),
  ];
};
