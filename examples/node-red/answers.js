// What a model's outputs say: the best classes with their probabilities, and the outputs themselves as plain data.

import { softmax, topK } from "octette/runtime";

/** Ops that leave the scores they are given as they are. */
const PLAIN = new Set(["DequantizeLinear", "QuantizeLinear", "Flatten", "Reshape", "Identity", "Squeeze"]);

/** Whether a graph's first output is of probabilities already. */
export function givesProbabilities({ nodes, outputs }) {
  let node;
  let name = outputs[0].name ?? outputs[0];
  do {
    node = nodes.find((one) => one.outputs.includes(name));
    name = node?.inputs[0];
  } while (node && PLAIN.has(node.op));
  return node?.op === "Softmax" || node?.op === "Sigmoid";
}

/** The best `k` classes of each sample: one answer for one sample, a list for several. */
export function classesOf(model, outputs, k) {
  const [{ name, dtype }] = model.outputs;
  if (dtype === "i32" || dtype === "bool")
    throw new Error(
      `output "${name}" has no scores but ${dtype}, as of a model that ends in ArgMax: let the node give outputs, in its settings`,
    );
  const scores = outputs[name];
  const probabilities = model.isProbability ? scores : softmax(scores);
  const answers = topK(probabilities, k, model.classes).map((ranked) => {
    const top = ranked.map(({ name, index, score }) => ({ class: name, index, probability: score }));
    return { ...top[0], top };
  });
  return answers.length === 1 ? answers[0] : answers;
}
