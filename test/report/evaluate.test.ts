// Evaluation over models that are plain functions here; the command line's tests run real ones.

import { describe, expect, test } from "vitest";
import { createDataset } from "../../src/data";
import type { Model } from "../../src/engine/model";
import { type Tensor, tensor } from "../../src/graph/tensor";
import { compare, evaluate } from "../../src/report";

const inputs = [{ name: "x", dtype: "f32", shape: ["n", 3] }] as const;
const rows = Array.from({ length: 100 }, (_, i) => [
  i % 3 === 0 ? 1 : 0,
  i % 3 === 1 ? 1 : 0,
  i % 3 === 2 ? 1 : 0,
]);
const labels = tensor(
  "i32",
  [100],
  rows.map((r) => r.indexOf(1)),
);
const data = createDataset({ x: tensor("f32", [100, 3], rows.flat()) }, inputs, { labels });

/** A model whose output is its input, changed. */
const model = (change: (v: number, i: number) => number) =>
  ({
    inputs,
    outputs: [{ name: "y", dtype: "f32", shape: ["n", 3] }],
    run: async ({ x }: { x: Tensor }) => ({ y: { ...x, data: (x.data as Float32Array).map(change) } }),
  }) as unknown as Model;

const noLayers = async (): Promise<Model> => {
  throw new Error("not asked for");
};

describe("evaluate", () => {
  test("no sample is refused, of data sets and of batches: nothing says that models are identical", async () => {
    const good = model((v) => v);
    const message = "there is nothing to measure: expected samples, got none";
    const options = { against: good, layers: true };
    await expect(evaluate(good, data.take(0), options, noLayers)).rejects.toThrow(`evaluate: ${message}`);
    await expect(evaluate(good, [], {}, noLayers)).rejects.toMatchObject({ code: "argument" });
    for (const other of [undefined, null, "test.npz", 5, {}])
      await expect(evaluate(good, other as never, {}, noLayers)).rejects.toThrow(
        "evaluate: no data to run the model over: expected a data set",
      );
    await expect(compare(good, good, data.take(0))).rejects.toThrow(`compare: ${message}`);
  });

  test("a perfect model, alone and against itself", async () => {
    const good = model((v) => v);
    const classes = {
      byClass: [34, 33, 33].map((n, label) => ({ label, n, top1: 100 })),
      confusions: [],
    };
    expect(await evaluate(good, data, {}, noLayers)).toEqual({ n: 100, top1: 100, ...classes });
    expect(await evaluate(good, data, { against: good }, noLayers)).toEqual({
      n: 100,
      top1: 100,
      ...classes,
      against: { top1: 100 },
      agreement: 100,
      sqnrDb: Number.POSITIVE_INFINITY,
      mcnemarP: 1,
    });
  });

  test("percentages, noise and p of a model that fails on one class", async () => {
    const worse = model((v, i) => (i % 3 === 2 ? v - 1 : v)); // class 2 is never chosen
    const result = await evaluate(worse, data, { against: model((v) => v) }, noLayers);
    expect(result).toMatchObject({ n: 100, top1: 67, against: { top1: 100 }, agreement: 67 });
    expect(result.sqnrDb).toBeCloseTo(0, 10); // 100 · 1² of signal, 100 · 1² of noise
    expect(result.mcnemarP).toBeCloseTo(2 / 2 ** 33, 20);
  });

  test("top-5, classes and confusions are those of a count by hand", async () => {
    const width = 12;
    const scores = Float32Array.from({ length: 200 * width }, (_, i) => (i * 7919) % 23);
    const wide = createDataset(
      { x: tensor("f32", [200, width], scores) },
      [{ name: "x", dtype: "f32", shape: ["n", width] }],
      {
        labels: tensor(
          "i32",
          [200],
          Array.from({ length: 200 }, (_, i) => (i * 5) % width),
        ),
      },
    );
    const same = { ...model((v) => v), outputs: [{ name: "y", dtype: "f32", shape: ["n", width] }] };
    const { top1, top5, byClass, confusions } = await evaluate(same as unknown as Model, wide, {}, noLayers);
    const found = { top1: 0, top5: 0 };
    const pairs = new Map<string, number>();
    for (let i = 0; i < 200; i++) {
      const label = (i * 5) % width;
      const ranked = [...scores.subarray(i * width, (i + 1) * width).entries()]
        .sort(([a, x], [b, y]) => y - x || a - b)
        .map(([index]) => index);
      if (ranked[0] === label) found.top1 += 0.5;
      else pairs.set(`${label} ${ranked[0]}`, (pairs.get(`${label} ${ranked[0]}`) ?? 0) + 1);
      if (ranked.slice(0, 5).includes(label)) found.top5 += 0.5;
    }
    expect({ top1, top5 }).toEqual(found);
    expect(new Map(confusions!.map(({ label, chosen, n }) => [`${label} ${chosen}`, n]))).toEqual(pairs);
    expect(byClass!.map(({ label }) => label)).toEqual(Array.from({ length: width }, (_, i) => i));
  });

  test("one whole number a sample is its class, and has no error in squares", async () => {
    const chooser = (wrong: number) =>
      ({
        inputs,
        outputs: [{ name: "y", dtype: "i32", shape: ["n"] }],
        run: async ({ x }: { x: Tensor }) => {
          const chosen = Array.from({ length: x.shape[0]! }, (_, i) =>
            x.data[3 * i + wrong] ? 2 : [0, 1, 2].findIndex((c) => x.data[3 * i + c]),
          );
          return { y: tensor("i32", [chosen.length], chosen) };
        },
      }) as unknown as Model;
    const result = await evaluate(chooser(1), data, { against: chooser(2) }, noLayers);
    expect(result).toMatchObject({ n: 100, top1: 67, agreement: 67, against: { top1: 100 } });
    expect(result.byClass).toEqual([
      { label: 0, n: 34, top1: 100 },
      { label: 1, n: 33, top1: 0 },
      { label: 2, n: 33, top1: 100 },
    ]);
    expect(result.confusions).toEqual([{ label: 1, chosen: 2, n: 33 }]);
    expect(result).not.toHaveProperty("meanSquaredError");
  });

  test("scores that are all NaN are no class: not the first one either", async () => {
    const result = await evaluate(
      model((v, i) => (i < 3 ? Number.NaN : v)), // sample 0 is of class 0
      data.take(6),
      {},
      noLayers,
    );
    expect(result.top1).toBeCloseTo(500 / 6, 9);
    expect(result.confusions).toEqual([{ label: 0, chosen: -1, n: 1 }]);
  });

  test("numbers to find may be below 0; labels that are none of them, or no class, are refused", async () => {
    const one = {
      inputs,
      outputs: [{ name: "y", dtype: "f32", shape: ["n", 1] }],
      run: async () => ({ y: tensor("f32", [2, 1], [-1, 0.5]) }),
    } as unknown as Model;
    const feeds = { x: tensor("f32", [2, 3], [1, 0, 0, 0, 1, 0]) };
    const found = await evaluate(one, [{ feeds, labels: [-2, 0.25] }], {}, noLayers);
    expect(found).toEqual({ n: 2, meanSquaredError: (1 + 0.0625) / 2, meanAbsoluteError: 0.625 });
    for (const labels of [
      [-2, Number.NaN],
      [Number.POSITIVE_INFINITY, 1],
    ])
      await expect(evaluate(one, [{ feeds, labels }], {}, noLayers)).rejects.toThrow(
        /a label is not a number to find: expected a finite number, got (NaN|Infinity)/,
      );
    for (const labels of [
      [0.5, 1],
      [1, Number.NaN],
    ])
      await expect(
        evaluate(
          model((v) => v),
          [{ feeds, labels }],
          {},
          noLayers,
        ),
      ).rejects.toThrow(/a label is outside the classes: expected 0 … 2, got (0\.5|NaN)/);
  });

  test("without labels there is agreement but no accuracy; batches may come from a generator", async () => {
    async function* batches() {
      for (const feeds of data.batches(7)) yield { feeds };
    }
    const result = await evaluate(
      model((v) => v),
      batches(),
      { against: model((v) => 2 * v) },
      noLayers,
    );
    expect(result).toMatchObject({ n: 100, against: {}, agreement: 100 });
    expect(result.top1).toBeUndefined();
    expect(result.mcnemarP).toBeUndefined();
  });

  test("progress is told and a signal stops", async () => {
    const seen: number[] = [];
    await evaluate(
      model((v) => v),
      data,
      { onProgress: ({ done, total }) => seen.push(done / total!) },
      noLayers,
    );
    expect(seen.at(-1)).toBe(1);
    await expect(
      evaluate(
        model((v) => v),
        data,
        { signal: AbortSignal.abort(new Error("stopped")) },
        noLayers,
      ),
    ).rejects.toThrow("stopped");
  });

  test("a label outside the classes and outputs that differ are named", async () => {
    const wrong = createDataset({ x: tensor("f32", [1, 3], [1, 0, 0]) }, inputs, {
      labels: tensor("i32", [1], [3]),
    });
    await expect(
      evaluate(
        model((v) => v),
        wrong,
        {},
        noLayers,
      ),
    ).rejects.toThrow(/expected 0 … 2, got 3/);
    const other = { ...model((v) => v), outputs: [{ name: "z", shape: ["n", 5] }] } as unknown as Model;
    await expect(
      compare(
        model((v) => v),
        other,
        data,
      ),
    ).rejects.toThrow(/\[n, 3\], got \[n, 5\]/);
  });
});

test("compare tells the difference of every output", async () => {
  const result = await compare(
    model((v) => v + 0.25),
    model((v) => v),
    data,
  );
  expect(result).toMatchObject({ n: 100, agreement: 100 });
  expect(result.outputs).toEqual([
    {
      name: "y",
      sqnrDb: expect.closeTo(10 * Math.log10(1 / 0.1875), 9),
      maxDifference: 0.25,
      relative: 0.25,
    },
  ]);
});
