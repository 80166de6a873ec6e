// Dropout while a model is trained, in floats and over codes, and its absence everywhere else.

import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/graph/tensor";
import { sizeOf, tensor } from "../../src/graph/tensor";
import {
  Conv2d,
  convert,
  DataLoader,
  Dropout,
  Flatten,
  Linear,
  mseLoss,
  prepareQat,
  quantizeDynamic,
  ReLU,
  Sequential,
  SGD,
  type Trainable,
  trace,
  trainable,
} from "../../src/nn/index";
import { withModel } from "../engine/engines";
import { randomOf } from "../graph-builder";

const floats = (shape: readonly number[], seed: number): Tensor => {
  const { between } = randomOf(seed);
  return tensor(
    "f32",
    shape,
    Array.from({ length: sizeOf(shape) }, () => between(-1, 1)),
  );
};
const [BATCH, WIDTH] = [12, 10];
const input = floats([BATCH, WIDTH], 3);
const mlp = (p: number) =>
  new Sequential(new Linear(WIDTH, 24), new ReLU(), new Dropout(p), new Linear(24, 5)).initialize(4);
const loader = () =>
  new DataLoader({ inputs: floats([64, WIDTH], 9), labels: new Int32Array(64) }, { batchSize: 16 });

const ways: readonly (readonly [string, (p: number, seed?: number) => Trainable | Promise<Trainable>])[] = [
  ["float", (p, seed = 0) => trainable(mlp(p), { seed })],
  ["dynamic", (p, seed = 0) => quantizeDynamic(mlp(p), { Linear }, "qint8", { seed })],
  ["8 bits", (p, seed = 0) => prepareQat(mlp(p), { calibration: loader(), seed })],
];

function training(model: Trainable, lr = 0.05) {
  const optimizer = new SGD(model.parameters(), { lr });
  model.train();
  return optimizer;
}

describe.each(ways)("%s", (_, make) => {
  test("what drops next to nothing computes what is deployed, to the byte", async () => {
    const model = await make(1e-12);
    const deployed = model.forward(input);
    training(model);
    expect(model.forward(input).data).toEqual(deployed.data);
    model.dispose();
  });

  test("every pass drops others; the mean is that of the deployed model; a seed repeats them all", async () => {
    const [model, again, other] = [await make(0.4), await make(0.4), await make(0.4, 1)];
    const deployed = model.forward(input).data as Float32Array;
    for (const each of [model, again, other]) training(each);
    const sums = new Float64Array(deployed.length);
    const passes = 600;
    const seen = new Set<string>();
    for (let pass = 0; pass < passes; pass++) {
      const { data } = model.forward(input);
      if (pass < 20) {
        expect(again.forward(input).data).toEqual(data);
        expect(other.forward(input).data).not.toEqual(data);
        seen.add(data.join());
      }
      for (const [i, y] of data.entries()) sums[i]! += y / passes;
    }
    expect(seen.size).toBe(20);
    const largest = deployed.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
    // Codes end at the range that calibration saw, without anything dropped.
    for (const [i, y] of deployed.entries()) expect(Math.abs(sums[i]! - y)).toBeLessThan(0.08 * largest);
    for (const each of [model, again, other]) each.dispose();
  });

  test("it learns, is deployed without, and evaluation drops nothing", async () => {
    const model = await make(0.2);
    const optimizer = training(model);
    const targets = floats([BATCH, 5], 8);
    const criterion = mseLoss();
    const losses: number[] = [];
    for (let step = 0; step < 150; step++) {
      optimizer.zeroGrad();
      const loss = criterion(model.forward(input), targets);
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
    const mean = (from: number) => losses.slice(from, from + 20).reduce((a, b) => a + b) / 20;
    expect(mean(130)).toBeLessThan(0.8 * mean(0));
    const graph = convert(model);
    expect(graph.nodes.filter(({ op }) => op === "Dropout")).toEqual([]);
    model.eval();
    const evaluated = model.forward(input).data;
    const [deployed] = withModel(graph, { maxima: { batch: BATCH } }, (run) =>
      Object.values(run.runSync({ input })),
    );
    expect(evaluated).toEqual(deployed!.data);
    model.dispose();
  });
});

test("gradient passes where an element was kept, and grows as that did", () => {
  const model = trainable(new Sequential(new Linear(WIDTH, 7), new Dropout(0.5)).initialize(2));
  training(model, 1);
  const optimizer = new SGD(model.parameters(), { lr: 1 });
  const bias = () => model.parameters().find(({ name }) => name.endsWith("bias"))!.data;
  const before = bias();
  const output = model.forward(input);
  const kept = Array.from(output.data, (y) => y !== 0);
  expect(kept.filter((is) => is).length).toBeGreaterThan(20);
  expect(kept.filter((is) => !is).length).toBeGreaterThan(20);
  const loss = mseLoss()(output, tensor("f32", output.shape, new Float32Array(output.data.length)));
  loss.backward();
  optimizer.step();
  const after = bias();
  for (let c = 0; c < 7; c++) {
    let gradient = 0;
    for (let n = 0; n < BATCH; n++)
      if (kept[n * 7 + c]) gradient += ((2 * output.data[n * 7 + c]!) / output.data.length) * 2;
    expect(before[c]! - after[c]!).toBeCloseTo(gradient, 5);
  }
  model.dispose();
});

test("over the codes of images, through what only moves them, and one behind another", async () => {
  const net = () =>
    new Sequential(
      new Conv2d(1, 8, 3),
      new ReLU(),
      new Dropout(0.3),
      new Flatten(),
      new Dropout(0.5),
      new Linear(8 * 16, 5),
    ).initialize(6);
  const images = floats([32, 1, 6, 6], 5);
  const shape = ["batch", 1, 6, 6];
  const calibration = [{ input: images }];
  const model = await prepareQat(net(), { calibration, inputShape: shape });
  const optimizer = training(model, 0.02);
  const targets = floats([32, 5], 8);
  let [first, last] = [0, 0];
  for (let step = 0; step < 200; step++) {
    optimizer.zeroGrad();
    const loss = mseLoss()(model.forward(images), targets);
    loss.backward();
    optimizer.step();
    if (step < 20) first += loss.item() / 20;
    if (step >= 180) last += loss.item() / 20;
  }
  expect(last).toBeLessThan(0.8 * first);
  expect(convert(model).nodes.map(({ op }) => op)).not.toContain("Dropout");
  model.dispose();
});

test("all is dropped where p is 1", () => {
  const model = trainable(new Sequential(new Linear(WIDTH, 4), new Dropout(1)));
  training(model);
  expect(new Set(model.forward(input).data)).toEqual(new Set([0]));
  model.dispose();
});

test("a traced graph has none", () => {
  expect(trace(mlp(0.5)).nodes.map(({ op }) => op)).not.toContain("Dropout");
});
