// What a step of `tune` takes, in whatever host this runs.

import { createDataset, tensor, tune } from "../build/index.js";
import { fill } from "./graphs.js";

const [FEATURES, HIDDEN, CLASSES, SAMPLES, BATCH] = [6, 16, 3, 1600, 8];
const [ROUNDS, EPOCHS] = [5, 3];

const layer = (rows, cols) => fill("f32", [rows, cols]);
const graph = {
  name: "mlp",
  inputs: [{ name: "x", dtype: "f32", shape: ["batch", FEATURES] }],
  outputs: ["logits"],
  nodes: [
    { name: "fc1", op: "Linear", inputs: ["x", "w1", "b1"], outputs: ["h"], attributes: {} },
    { name: "relu", op: "Relu", inputs: ["h"], outputs: ["r"], attributes: {} },
    { name: "fc2", op: "Linear", inputs: ["r", "w2", "b2"], outputs: ["logits"], attributes: {} },
  ],
  constants: new Map([
    ["w1", layer(HIDDEN, FEATURES)],
    ["b1", tensor("f32", [HIDDEN], new Float32Array(HIDDEN))],
    ["w2", layer(CLASSES, HIDDEN)],
    ["b2", tensor("f32", [CLASSES], new Float32Array(CLASSES))],
  ]),
};

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

/** Milliseconds from one step to the next, the median of several runs. */
export async function stepMilliseconds() {
  const labels = tensor(
    "i32",
    [SAMPLES],
    Int32Array.from({ length: SAMPLES }, (_, i) => i % CLASSES),
  );
  const data = createDataset({ x: fill("f32", [SAMPLES, FEATURES]) }, graph.inputs, { labels });
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    let [first, last, steps] = [0, 0, 0];
    await tune(graph, {
      data,
      epochs: EPOCHS,
      batch: BATCH,
      onStep({ step }) {
        if (step === 1) first = performance.now();
        else [last, steps] = [performance.now(), step - 1];
      },
    });
    times.push((last - first) / steps);
  }
  return median(times);
}
