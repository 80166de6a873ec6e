// Encoders from folders: embeddings and classes as transformers has them (OCTETTE_DATA, lm/tiny).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { quantizeLanguageModel } from "../../src/quantize-language";
import { loadLanguageModel } from "../../src/text/load-language-model";
import { farthest, goldenOf, tinyNames, tinyPath } from "./tiny";

const rowOf = (data: ArrayLike<number>, row: number, width: number) =>
  Array.from({ length: width }, (_, i) => data[row * width + i]!);
/** Tokens of a row that are no padding. */
const idsIn = (golden: ReturnType<typeof goldenOf>, row: number): number[] => {
  const { shape, data } = golden.get("ids")!;
  const mask = rowOf(golden.get("mask")!.data, row, shape[1]!);
  return rowOf(data, row, shape[1]!).filter((_, i) => mask[i] !== 0);
};

describe.skipIf(!tinyNames.includes("bert"))("embed", () => {
  const textsOf = (): string[] => JSON.parse(readFileSync(join(tinyPath("bert"), "texts.json"), "utf8"));

  test("gives each text the embedding that sentence-transformers gives, alone or among others", async () => {
    const [golden, texts] = [goldenOf("bert"), textsOf()];
    const atol = Number(golden.get("atol")!.data[0]);
    using model = await loadLanguageModel(tinyPath("bert"));
    const all = await model.embed(texts);
    const { data, shape } = golden.get("mean_normalised")!;
    for (const [row, embedding] of all.entries())
      expect(farthest(embedding, rowOf(data, row, shape[1]!))).toBeLessThanOrEqual(atol);
    expect(await model.embed([texts[1]!])).toEqual([all[1]]);
    expect(await model.embed([idsIn(golden, 0)])).toEqual([all[0]]);
    expect(await model.embed([])).toEqual([]);
  });

  test("refuses texts that are too long, and what it cannot do", async () => {
    const texts = textsOf();
    using model = await loadLanguageModel(tinyPath("bert"), { maxTokens: 8 });
    await expect(model.embed(["a", texts[0]!])).rejects.toThrow(
      /text 1: the text is too long.*1 to 8 tokens/,
    );
    await expect(model.embed([[]])).rejects.toThrow(/text 0: the text has no tokens/);
    await expect(model.embed("text" as unknown as string[])).rejects.toThrow(/takes a list of texts/);
    await expect(model.classify(texts)).rejects.toThrow(/the model has no classes/);
    expect(() => model.session()).toThrow(/is an encoder: it generates no text/);
  });

  test("pools as it is told, where the folder says otherwise or nothing", async () => {
    const [golden, texts] = [goldenOf("bert"), textsOf()];
    const atol = Number(golden.get("atol")!.data[0]);
    const expectGolden = (all: readonly Float32Array[], name: string) => {
      const { data, shape } = golden.get(name)!;
      for (const [row, embedding] of all.entries())
        expect(farthest(embedding, rowOf(data, row, shape[1]!))).toBeLessThanOrEqual(atol);
    };
    using first = await loadLanguageModel(tinyPath("bert"), { pooling: "cls" });
    expectGolden(await first.embed(texts), "cls_normalised");
    const names = ["config.json", "model.safetensors", "tokenizer.json"];
    const plain = Object.fromEntries(names.map((name) => [name, join(tinyPath("bert"), name)]));
    using none = await loadLanguageModel(plain);
    await expect(none.embed(texts)).rejects.toThrow(/got a model of hidden states\. Load.*pooling: "mean"/);
    using mean = await loadLanguageModel(plain, { pooling: "mean" });
    expectGolden(await mean.embed(texts), "mean");
    const { bytes, summary } = await quantizeLanguageModel(plain, { pooling: "mean", threads: 1 });
    expect(summary.similarity!.cosine.least).toBeGreaterThan(0.99);
    using eight = await loadLanguageModel(bytes!);
    expect((await eight.embed(texts))[0]).toHaveLength(golden.get("mean")!.shape[1]!);
    await expect(loadLanguageModel(bytes!, { pooling: "mean" })).rejects.toThrow(
      /an artifact has the pooling it was made with/,
    );
    await expect(loadLanguageModel(plain, { pooling: "max" as never })).rejects.toThrow(
      /pooling does not fit: expected mean or cls, got max/,
    );
    using decoder = await loadLanguageModel(tinyPath("llama"), { pooling: "mean" });
    expect(decoder.facts.task).toBe("embedding");
  });
});

describe.skipIf(!tinyNames.includes("roberta"))("classify", () => {
  test("gives the likeliest class and its probability", async () => {
    const golden = goldenOf("roberta");
    using model = await loadLanguageModel(tinyPath("roberta"));
    const { data, shape } = golden.get("logits")!;
    const rows = [...Array(shape[0]).keys()];
    const found = await model.classify(rows.map((row) => idsIn(golden, row)));
    for (const row of rows) {
      const logits = rowOf(data, row, shape[1]!);
      expect(farthest(found[row]!.logits, logits)).toBeLessThanOrEqual(Number(golden.get("atol")!.data[0]));
      const { index, probability } = found[row]!;
      expect(index).toBe(logits.indexOf(Math.max(...logits)));
      const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
      expect(probability).toBeCloseTo(Math.exp(Math.max(...logits)) / total, 5);
    }
    await expect(model.embed([[1]])).rejects.toThrow(/the model makes no embeddings/);
  });
});
