// What follows an encoder's states in folders of sentence-transformers, against the formula in f64.

import { expect, test } from "vitest";
import type { EmbeddingLayer } from "../../../src/formats/language-source";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { evaluate } from "../evaluate";
import { farthest, wholeGraph } from "../tiny";
import { elementsOf, familyNamed } from "./family-cases";

const layers: readonly EmbeddingLayer[] = [
  { name: "2_Dense/linear", hasBias: true, activation: "tanh" },
  { name: "3_Dense/linear", hasBias: false },
];
const shapes: Readonly<Record<string, readonly number[]>> = {
  "2_Dense/linear.weight": [5, 16],
  "2_Dense/linear.bias": [5],
  "3_Dense/linear.weight": [3, 5],
};

/** BERT with dense layers behind the mean of its states. */
function source(own = layers) {
  const model = familyNamed("bert!Model");
  const tensors = new Map(model.tensors);
  for (const [name, shape] of Object.entries(shapes)) tensors.set(name, { dtype: "F32", shape });
  return {
    ...model,
    tensors,
    read: (name: string): Promise<Tensor> =>
      shapes[name] ? Promise.resolve(elementsOf(name, shapes[name])) : model.read(name),
    embedding: { pooling: "mean", isNormalized: true, layers: own } as const,
  };
}

/** One linear layer of f64. */
function linear(x: readonly number[], name: string, hasBias: boolean): number[] {
  const [rows, cols] = shapes[`${name}.weight`] as [number, number];
  const { data } = elementsOf(`${name}.weight`, [rows, cols]);
  const bias = hasBias ? elementsOf(`${name}.bias`, [rows]).data : undefined;
  return Array.from({ length: rows }, (_, r) =>
    x.reduce((sum, value, c) => sum + value * data[r * cols + c]!, bias?.[r] ?? 0),
  );
}

test("dense layers between the mean and its division by the length", async () => {
  const ids = [5, 8, 13, 2];
  const feeds = {
    ids: tensor("i32", [1, 4], ids),
    types: tensor("i32", [1, 4], []),
    lengths: tensor("i32", [1], [4]),
  };
  const states = await wholeGraph(buildLanguageGraph(familyNamed("bert!Model")));
  const { data } = evaluate(states, feeds, new Map(), {}).get("hidden")!;
  const mean = Array.from(
    { length: 16 },
    (_, c) => ids.reduce((sum, _, r) => sum + data[r * 16 + c]!, 0) / 4,
  );
  const last = linear(linear(mean, "2_Dense/linear", true).map(Math.tanh), "3_Dense/linear", false);
  const length = Math.hypot(...last);
  const graph = await wholeGraph(buildLanguageGraph(source()));
  const embedding = evaluate(graph, feeds, new Map(), {}).get("embedding")!;
  expect(embedding.shape).toEqual([1, 3]);
  expect(
    farthest(
      embedding.data,
      last.map((value) => value / length),
    ),
  ).toBeLessThan(1e-6);
});

test("a bias that a dense layer should not have, or lacks, is an error", () => {
  const other = (change: Partial<EmbeddingLayer>) => source([{ ...layers[0]!, ...change }, layers[1]!]);
  expect(() => buildLanguageGraph(other({ hasBias: false }))).toThrow("2_Dense/linear.bias");
  expect(() => buildLanguageGraph(source([layers[0]!]))).toThrow("belong to nothing that octette computes");
  expect(() => buildLanguageGraph(other({ name: "4_Dense/linear" }))).toThrow("4_Dense/linear.weight");
});
