// Right answers of the deployed model: also where its batch is fixed, and only for labels that are classes.

import { describe, expect, test } from "vitest";
import { inlined } from "../../src/engine/inlined";
import { Engine } from "../../src/engine/wasm";
import { givingWay } from "../../src/event-loop";
import type { Graph } from "../../src/graph/graph";
import { createDataset, loadSync, tensor } from "../../src/index";
import { tune } from "../../src/train/index";
import { train } from "../../src/train/inlined";
import { checkClasses, isBetter, rightOf, validate } from "../../src/train/run/validate";

const engine = new Engine({ ...inlined, train });

const graphOf = (batch: number | string): Graph => ({
  name: "line",
  provenance: {},
  inputs: [{ name: "x", dtype: "f32", shape: [batch, 2] }],
  outputs: ["y"],
  nodes: [{ op: "Linear", name: "fc", inputs: ["x", "w", "b"], outputs: ["y"], attributes: {} }],
  constants: new Map([
    ["w", tensor("f32", [2, 2], [1, 0, 0, 1])],
    ["b", tensor("f32", [2], [0, 0])],
  ]),
});

/** Points whose larger coordinate is their class, but for every fifth. */
function dataOf(graph: Graph, count: number, wrong = (i: number) => i % 5 === 4) {
  const points = Array.from({ length: count }, (_, i) => [i % 3, (i * 2) % 7]);
  const labels = points.map(([a, b], i) => Number(b! > a!) ^ Number(wrong(i)));
  return createDataset({ x: tensor("f32", [count, 2], points.flat()) }, graph.inputs, {
    labels: tensor("i32", [count], labels),
  });
}

describe.each(["n", 1, 4])("batch %s", (batch) => {
  test("accuracy is that of all samples", async () => {
    const graph = graphOf(batch);
    const model = loadSync(graph, { maxima: batch === "n" ? { n: 64 } : {} });
    const giveWay = givingWay(undefined);
    const some = await validate(model, dataOf(graph, 200), engine, giveWay);
    const all = await validate(
      model,
      dataOf(graph, 200, () => false),
      engine,
      giveWay,
    );
    expect([some.accuracy, all.accuracy]).toEqual([80, 100]);
    expect(all.loss).toBeLessThan(some.loss);
    model.dispose();
  });

  test("it is tuned in steps of its size, and no larger ones than there are samples", async () => {
    const graph = graphOf(batch);
    const batches: number[] = [];
    const onBegin = (begin: { readonly batch: number }) => batches.push(begin.batch);
    const options = { epochs: 1, bits: "float", validation: dataOf(graph, 20), onBegin } as const;
    const { summary } = await tune(graph, { ...options, data: dataOf(graph, 40) });
    expect(batches).toEqual([batch === "n" ? 40 : batch]);
    expect(summary.before.accuracy).toBe(80);
  });
});

test("labels that are no class of the model are named", async () => {
  const graph = graphOf("n");
  const wrong = (label: number) =>
    createDataset({ x: tensor("f32", [2, 2], [1, 2, 3, 4]) }, graph.inputs, {
      labels: tensor("i32", [2], [1, label]),
    });
  for (const label of [-1, 2])
    expect(() => checkClasses(wrong(label), 2)).toThrow(
      `sample 1: a label is outside the classes: expected 0 to 1, got ${label}`,
    );
  expect(() => checkClasses(wrong(0), 2)).not.toThrow();
  await expect(tune(graph, { data: wrong(2), validation: wrong(0), bits: "float" })).rejects.toThrow(
    "a label is outside the classes",
  );
});

test("of equal scores the first counts", () => {
  expect(rightOf([1, 1, 0, 0, 2, 2], [0, 1])).toBe(2);
  expect(rightOf([1, 1, 0, 0, 2, 2], [1, 2])).toBe(0);
});

test("more right answers are better, and of as many the smaller loss", () => {
  expect(isBetter({ accuracy: 81, loss: 2 }, { accuracy: 80, loss: 1 })).toBe(true);
  expect(isBetter({ accuracy: 80, loss: 0.9 }, { accuracy: 80, loss: 1 })).toBe(true);
  expect(isBetter({ accuracy: 80, loss: 1 }, { accuracy: 80, loss: 1 })).toBe(false);
});
