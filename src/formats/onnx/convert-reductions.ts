// Conversions of what reduces dimensions: losses that are written with others, and attributes of older opsets.

import type { Conversion } from "./source";

/** The loss of a softmax's logarithm along axis 1, which is the second output. */
export const softmaxCrossEntropyLoss: Conversion = (source) => {
  const { name, fresh, inputs, outputs } = source;
  const [scores = "", ...labels] = inputs;
  const [loss = "", logarithms = fresh(`${name}_log_prob`)] = outputs;
  const softmax = { op: "LogSoftmax", name: fresh(`${name}_log_softmax`) };
  return [
    source.node({ axis: 1 }, { ...softmax, inputs: [scores], outputs: [logarithms] }),
    source.node(source.attributes(), {
      op: "NegativeLogLikelihoodLoss",
      inputs: [logarithms, ...labels],
      outputs: [loss],
    }),
  ];
};

/** k is an attribute before opset 10. */
export const topK: Conversion = (source) => {
  if (source.opset >= 10) return [source.node(source.attributes())];
  const k = source.int("k", -1);
  return [source.node({ ...source.attributes(), k: [k] })];
};
