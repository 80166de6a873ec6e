// Recurrent layers learn what is no sum over steps: whether the last mark of a sequence is the first one again.

import { expect, test } from "vitest";
import { tensor } from "../../src/graph/tensor";
import {
  AdamW,
  crossEntropyLoss,
  Flatten,
  GRU,
  Linear,
  LSTM,
  Sequential,
  trace,
  trainable,
} from "../../src/nn/index";
import { randomOf } from "../graph-builder";

const [STEPS, MARKS] = [5, 3];
const { below } = randomOf(11);

/** Sequences of marks, one hot, and whether the last one is the first. */
function batchOf(rows: number) {
  const data = new Float32Array(rows * STEPS * MARKS);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const marks = Array.from({ length: STEPS }, () => below(MARKS));
    if (below(2) === 1) marks[STEPS - 1] = marks[0]!;
    marks.forEach((mark, i) => {
      data[(row * STEPS + i) * MARKS + mark] = 1;
    });
    labels[row] = marks[0] === marks[STEPS - 1] ? 1 : 0;
  }
  return { inputs: tensor("f32", [rows, STEPS, MARKS], data), labels };
}

test.each([
  ["LSTM", () => new LSTM(MARKS, 12)],
  ["GRU", () => new GRU(MARKS, 12)],
])("%s", async (_, layer) => {
  const net = new Sequential(layer(), new Flatten(), new Linear(STEPS * 12, 2)).initialize(1);
  const model = trainable(net, { inputShape: ["batch", STEPS, MARKS] });
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
  const criterion = crossEntropyLoss();
  model.train();
  for (let step = 0; step < 1000; step++) {
    const { inputs, labels } = batchOf(64);
    optimizer.zeroGrad();
    criterion(model.forward(inputs), labels).backward();
    optimizer.step();
  }
  const { inputs, labels } = batchOf(256);
  const { data } = model.eval().forward(inputs);
  const right = labels.filter((label, i) => Number(data[2 * i + 1]! > data[2 * i]!) === label).length;
  expect(right / labels.length).toBeGreaterThan(0.96);
  model.dispose();
});

test("a layer tells what fits", () => {
  const shape = ["batch", 4, 7];
  expect(() => trace(new LSTM(6, 3), shape)).toThrow(/its input does not fit: expected \[batch, steps, 6\]/);
  expect(() => new GRU(6, 3, { layers: 2 } as object)).toThrow(/layers/);
  expect(() => new LSTM(6, 0)).toThrow(/hiddenSize/);
});
