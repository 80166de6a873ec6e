// Encoders of 8 bits beside their float form (OCTETTE_DATA, lm/tiny).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readArtifact } from "../../../src/formats/octette";
import { quantizeLanguageModel } from "../../../src/quantize-language";
import { loadLanguageModel } from "../../../src/text/load-language-model";
import { goldenOf, tinyNames, tinyPath } from "../../text/tiny";

const encoders = ["bert", "modernbert", "roberta"].filter((name) => tinyNames.includes(name));

describe.skipIf(encoders.length === 0)("an encoder of 8 bits", () => {
  test.each(encoders)("%s: its matrices are codes, its results near those of floats", async (name) => {
    const { bytes, summary, contentHash } = await quantizeLanguageModel(tinyPath(name), { threads: 1 });
    const { graph } = readArtifact(bytes!);
    for (const { op, inputs } of graph.nodes)
      if (op === "Linear") expect(graph.constants.get(inputs[1]!)!.dtype).toBe("i8");
    expect(summary.weights.length).toBeGreaterThan(6);
    expect(summary.weights.every(({ bits }) => bits === 8)).toBe(true);
    expect(summary.agreement).toBeUndefined();
    const { texts, cosine, isRandom } = summary.similarity!;
    expect([texts, isRandom]).toEqual([16, true]);
    // modernbert's random attention is so sharp that rounding its weights alone takes as much.
    expect(cosine.mean).toBeGreaterThan(name === "modernbert" ? 0.99 : 0.998);
    expect(cosine.least).toBeGreaterThan(name === "modernbert" ? 0.95 : 0.99);
    const again = await quantizeLanguageModel(tinyPath(name), { threads: 1 });
    expect(again.contentHash).toBe(contentHash);
  });

  test.skipIf(!encoders.includes("bert"))("embeds texts as its report says, in every class", async () => {
    const texts = (JSON.parse(readFileSync(join(tinyPath("bert"), "texts.json"), "utf8")) as string[]).filter(
      (text) => text.trim() !== "",
    );
    const evaluation = texts.map((text) => text.replaceAll(/\s+/g, " ")).join("\n");
    const { bytes, summary } = await quantizeLanguageModel(tinyPath("bert"), { threads: 1, evaluation });
    using float = await loadLanguageModel(tinyPath("bert"));
    const expected = await float.embed(evaluation.split("\n"));
    let first: Float32Array[] | undefined;
    for (const engineClass of ["baseline", "extmul"] as const) {
      using model = await loadLanguageModel(bytes!, { engineClass });
      const found = await model.embed(evaluation.split("\n"));
      expect(found).toEqual((first ??= found));
    }
    const cosines = first!.map((row, i) => row.reduce((sum, x, c) => sum + x * expected[i]![c]!, 0));
    const { cosine, texts: count, isRandom } = summary.similarity!;
    expect([count, isRandom]).toEqual([cosines.length, false]);
    expect(cosine.mean).toBeCloseTo(cosines.reduce((a, b) => a + b) / cosines.length, 5);
    expect(cosine.least).toBeGreaterThan(0.999);
  });

  test.skipIf(!encoders.includes("roberta"))("classifies as its float form does", async () => {
    const { bytes } = await quantizeLanguageModel(tinyPath("roberta"), { threads: 1 });
    using float = await loadLanguageModel(tinyPath("roberta"));
    using model = await loadLanguageModel(bytes!);
    const { shape, data } = goldenOf("roberta").get("ids")!;
    const rows = Array.from({ length: shape[0]! }, (_, row) =>
      Array.from({ length: 5 }, (_, i) => data[row * shape[1]! + i]!),
    );
    const [expected, found] = [await float.classify(rows), await model.classify(rows)];
    for (const [i, { logits }] of found.entries())
      for (const [c, logit] of logits.entries())
        expect(Math.abs(logit - expected[i]!.logits[c]!)).toBeLessThan(0.05);
  });

  test("has no 4 bits", async () => {
    await expect(quantizeLanguageModel(tinyPath(encoders[0]!), { bits: 4 })).rejects.toThrow(
      "quantizeLanguageModel, bits: an encoder of 4 bits: expected 8, or none said",
    );
  });
});
