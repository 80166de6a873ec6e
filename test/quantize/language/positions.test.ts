// Lengths that a model cannot pass: a table of positions, and rotary frequencies that are made for a length.

import { describe, expect, test } from "vitest";
import type { LanguageSource } from "../../../src/formats/language-source";
import { quantizeLanguageModel } from "../../../src/quantize-language";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { loadLanguageModel, perplexity } from "../../../src/text/index";
import { familyCases, familyNamed, familySource } from "../../text/builder/family-cases";

/** Ids below 40, the vocabulary of all cases. */
const ids = (count: number) => Int32Array.from({ length: count }, (_, i) => (7 * i * i + 3 * i) % 40);

describe("windows are no longer than a table of positions", () => {
  const texts = { calibration: ids(300), evaluation: ids(100), threads: 1 };

  test.each(["gpt2", "gpt_bigcode", "gpt_neo", "opt", "openai-gpt", "biogpt"])("of %s", async (name) => {
    const { summary, bytes } = await quantizeLanguageModel(familyNamed(name), texts);
    // Nine windows, of which one is held out; three to evaluate on.
    expect(summary).toMatchObject({ windowTokens: 32, calibrationTokens: 8 * 32 });
    expect(summary.agreement).toMatchObject({ tokens: 3 * 31 });
    expect(summary.agreement!.kld).toBeLessThan(0.01);
    using model = await loadLanguageModel(bytes!);
    expect(model.maxTokens).toBe(32);
    expect(await perplexity(model, ids(100))).toMatchObject({ windows: 3, tokens: 3 * 31 });
  });

  test("that it writes itself", async () => {
    const { summary } = await quantizeLanguageModel(familyNamed("gpt2"), { bits: 4, threads: 1 });
    expect(summary).toMatchObject({ windowTokens: 32, calibrationTokens: 16 * 32 });
  });

  test("and as long as others where positions rotate", async () => {
    const { summary } = await quantizeLanguageModel(familyNamed("llama"), texts);
    expect(summary).toMatchObject({ windowTokens: 256, calibrationTokens: 256 });
  });
});

describe("frequencies that depend on the length", () => {
  const llama = familyCases.find(({ name }) => name === "llama")!;
  const withRope = (rope: object): LanguageSource =>
    familySource({
      ...llama,
      config: { ...llama.config, rope_parameters: { rope_theta: 10000, ...rope } },
    });
  const longrope = withRope({
    rope_type: "longrope",
    factor: 4,
    original_max_position_embeddings: 8,
    short_factor: [1, 1.5],
    long_factor: [2, 4],
  });
  const dynamic = withRope({ rope_type: "dynamic", factor: 4 });

  test.each([
    ["longrope", longrope, 8, 32, 32],
    ["dynamic", dynamic, 32, 64, 128],
  ])("%s: an artifact is for the length it is made for", async (_, source, first, planned, most) => {
    const quantized = async (maxTokens?: number) => {
      const texts = { calibration: ids(300), threads: 1 };
      const { bytes } = await quantizeLanguageModel(source, { ...texts, maxTokens });
      return bytes!;
    };
    const short = await quantized();
    using model = await loadLanguageModel(short);
    expect(model.maxTokens).toBe(first);
    await expect(loadLanguageModel(short, { maxTokens: first + 1 })).rejects.toThrow(
      new RegExp(`fewer tokens: expected at most ${first}, got ${first + 1}.*octette quantize --context N`),
    );
    using long = await loadLanguageModel(await quantized(planned), { maxTokens: planned });
    expect(long.hash).not.toBe(model.hash);
    await expect(quantized(most + 1)).rejects.toThrow(
      `quantizeLanguageModel, maxTokens: the model was made for fewer tokens: expected at most ${most}`,
    );
    await expect(quantized(0.5)).rejects.toThrow("quantizeLanguageModel, maxTokens: option does not fit");
  });

  test("a graph is made for a length already", async () => {
    const graph = buildLanguageGraph(longrope, { length: 32 });
    expect(graph.text.facts!.maxPositions).toBe(32);
    await expect(quantizeLanguageModel(graph, { maxTokens: 32 })).rejects.toThrow(
      "the graph is made already",
    );
  });
});
