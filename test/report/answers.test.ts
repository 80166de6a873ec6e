// What models answer on the same samples, and whether one is better.

import { describe, expect, test } from "vitest";
import { createDataset, load, tensor } from "../../src/index";
import { agreementOf, answersOf, pairedTest } from "../../src/report";
import { mcnemar } from "../../src/report/metrics";

describe("answersOf", () => {
  /** A model that answers with its input. */
  const inputs = [{ name: "x", dtype: "f32" as const, shape: ["n", 3] }];
  const graph = {
    name: "same",
    provenance: {},
    inputs,
    outputs: ["y"],
    nodes: [{ op: "Identity", name: "y", inputs: ["x"], outputs: ["y"], attributes: {} }],
    constants: new Map(),
  };

  /** One-hot rows; of equals the first counts. */
  const dataOf = (classes: readonly number[], labels = classes) =>
    createDataset(
      {
        x: tensor(
          "f32",
          [classes.length, 3],
          classes.flatMap((c) => [0, 1, 2].map((i) => (i === c ? 1 : 0))),
        ),
      },
      inputs,
      { labels: tensor("i32", [labels.length], [...labels]) },
    );

  test.each([1, 31, 32, 33, 100])("%i samples, in batches", async (count) => {
    const classes = Array.from({ length: count }, (_, i) => (i * 7) % 3);
    const model = await load(graph, { maxima: { n: 32 } });
    const told: number[] = [];
    const answers = await answersOf(model, dataOf(classes), { onProgress: ({ done }) => told.push(done) });
    expect([...answers]).toEqual(classes);
    expect(told.at(-1)).toBe(count);
    model.dispose();
  });

  test("a label that is no class is named; a signal stops it", async () => {
    const model = await load(graph, { maxima: { n: 32 } });
    await expect(answersOf(model, dataOf([0, 1], [0, 3]))).rejects.toThrow(
      "a label is outside the classes: expected 0 … 2, got 3",
    );
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(answersOf(model, dataOf([0]), { signal })).rejects.toThrow("enough");
    model.dispose();
  });
});

test("agreement and the paired test count samples", () => {
  const labels = Int32Array.of(0, 1, 2, 0, 1, 2, 0, 1);
  const one = Int32Array.of(0, 1, 2, 0, 1, 2, 1, 0);
  const other = Int32Array.of(1, 0, 2, 1, 0, 0, 0, 0);
  expect(agreementOf(one, one)).toBe(100);
  expect(agreementOf(one, other)).toBe(25);
  expect(pairedTest(one, other, labels)).toEqual({ onlyRight: 5, onlyOtherRight: 1, p: mcnemar(5, 1) });
  expect(pairedTest(other, one, labels)).toEqual({ onlyRight: 1, onlyOtherRight: 5, p: mcnemar(1, 5) });
});
