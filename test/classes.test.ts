// Names of classes: in the artifact, kept by everything that makes one model of another, refused where they do not fit.

import { expect, test } from "vitest";
import { readNpz } from "../src/formats/npz";
import { writeArtifact } from "../src/formats/octette";
import {
  applyDelta,
  createDataset,
  createDelta,
  importOnnx,
  loadSync,
  quantize,
  readArtifact,
  save,
  topK,
  tune,
  withClasses,
} from "../src/index";
import { nameBySamples } from "../src/ops/classes";
import { toolkitOps } from "../src/ops/toolkit";
import { loadSync as loadOnDevice } from "../src/runtime/index";
import { readExample } from "./examples";
import { GraphBuilder } from "./graph-builder";

const classes = "zero,one,two,three,four,five,six,seven,eight,nine".split(",");
const file = await readExample("digits.onnx");
const arrays = readNpz(await readExample("train.npz"));
const graph = importOnnx(file, { name: "digits", classes });
const data = createDataset(arrays, graph.inputs, {
  labels: arrays.get("labels")!,
  normalize: { layout: "nchw", scale: 1 / 16, mean: [0], std: [1] },
}).take(128);

test("they go from the import through quantize and tune to the model, on a device too", async () => {
  const { graph: quantized } = await quantize(graph, { calibration: data.batches(32) });
  const before = save(quantized);
  const after = save((await tune(readArtifact(before).graph, { data, epochs: 1 })).graph);
  expect(readArtifact(after).graph.classes).toEqual(classes);
  using model = loadOnDevice(after);
  expect(model.classes).toEqual(classes);
  const { logits } = model.runSync(data.at([0]));
  const best = topK(logits!, 1, model.classes)[0]![0]!;
  expect(best.name).toBe(classes[data.labels![0]!]);
});

test("quantize and tune name them", async () => {
  const plain = importOnnx(file);
  const { graph: quantized } = await quantize(plain, { calibration: data.batches(32), classes });
  expect(quantized.classes).toEqual(classes);
  const others = classes.map((name) => `${name}!`);
  const tuned = await tune(quantized, { data, epochs: 1, train: "bias", classes: others });
  expect(tuned.graph.classes).toEqual(others);
});

test("a model that gives classes themselves takes any names, those of its samples too", async () => {
  const b = new GraphBuilder(1);
  const graph = b.build(b.node("ArgMax", [b.input("x", ["batch", 3])], "y", { axis: 1, keepdims: 0 }));
  const named = withClasses(graph, ["a", "b", "c"]);
  using model = loadSync(save(named));
  expect(model.classes).toEqual(["a", "b", "c"]);
  expect(nameBySamples(graph, { classes: ["a", "b", "c"] }, toolkitOps).classes).toEqual(["a", "b", "c"]);
});

test("a model without them has none, and its bytes are as before", () => {
  const plain = importOnnx(file, { name: "digits" });
  expect(loadSync(plain).classes).toBeUndefined();
  expect(save({ ...plain, classes: undefined } as never)).toEqual(save(plain));
});

test.each([
  ["names that the base has not", undefined, classes],
  ["other names", classes.map((name) => `${name} 1`), classes],
  ["names with other numbers", classes.map((name) => `${name} 1`), classes.map((name) => `${name} 2`)],
  ["no names where the base has some", classes, undefined],
])("a delta carries %s", (_, from, to) => {
  const bytesOf = (names: readonly string[] | undefined) => {
    const plain = importOnnx(file, { name: "digits" });
    return save(names ? withClasses(plain, names) : plain);
  };
  const [base, tuned] = [bytesOf(from), bytesOf(to)];
  expect(applyDelta(base, createDelta(base, tuned))).toEqual(tuned);
});

test.each([
  [
    "too few",
    classes.slice(1),
    'do not fit output "logits": expected as many names as the last dimension of [batch, 10], got 9',
  ],
  ["an empty one", [...classes.slice(1), ""], 'invalid name of class 9: expected a text, got ""'],
  ["a number", [...classes.slice(1), 7], "invalid name of class 9: expected a text, got 7"],
  ["a text", "zero,one", "must be a list of names: expected a list of texts, got string"],
])("%s is refused", (_, names, message) => {
  expect(() => importOnnx(file, { classes: names as string[] })).toThrow(`classes: ${message}`);
  expect(() => save({ ...graph, classes: names as string[] })).toThrow(`classes: ${message}`);
});

test("a file whose names are no list of texts is damaged", () => {
  const forged = (names: unknown) => writeArtifact({ ...graph, classes: names as string[] });
  expect(() => readArtifact(forged({ a: 1 }))).toThrow("the graph is damaged, classes is not a list");
  expect(() => loadSync(forged([1]))).toThrow("the graph is damaged, a class is not a text");
});
