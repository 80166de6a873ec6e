// Language models from source to artifact: the same bytes however the work is done, and answers that are near those of the source.

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createModel } from "../../../src/engine/model";
import { readArtifact } from "../../../src/formats/octette";
import type { Tensor } from "../../../src/graph/tensor";
import { blocksOf } from "../../../src/quantize/language/blocks";
import { readBlock } from "../../../src/quantize/language/coded-block";
import { BlockRunner } from "../../../src/quantize/language/forward";
import { quantizeLanguageModel } from "../../../src/quantize-language";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { bindCache } from "../../../src/text/builder/cache";
import { toolkit } from "../../../src/toolkit/toolkit";
import { expectSame } from "../../kernels/harness";
import { wholeGraph } from "../../text/tiny";
import { madeIds, madeModel } from "./made-model";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "octette-language-"));
});
afterAll(() => rm(folder, { recursive: true }));

const texts = { calibration: madeIds(256 * 6), evaluation: madeIds(300, 9), threads: 1 };

test("a model in blocks computes what the whole does", async () => {
  const source = buildLanguageGraph(madeModel());
  const ids = madeIds(150);
  const options = { toolkit, threads: 1, pause: async () => {} };
  let hidden: readonly Float32Array[] | undefined;
  for (const block of blocksOf(source.graph, toolkit.ops)) {
    const runner = await BlockRunner.load(block, await readBlock(block, source.read), ids.length, options);
    hidden = await runner.advance([ids], hidden);
    runner.dispose();
  }
  const graph = bindCache(await wholeGraph(source), { maxTokens: 150, chunk: 150 });
  const model = await createModel(graph, toolkit.ops, toolkit.engine, {
    maxima: { tokens: 150, rows: 150, cache: 150 },
  });
  const feed: Tensor = { dtype: "i32", shape: [1, 150], data: ids };
  const { logits } = model.runSync({ ids: feed }, {}, { position: 0, rows: 150 });
  model.dispose();
  expectSame(hidden![0]!, logits!.data as Float32Array);
});

test("an output that cannot be written is told before any work", async () => {
  const output = join(folder, "none", "made.octette");
  const onProgress = () => expect.unreachable();
  const made = quantizeLanguageModel(madeModel(), { ...texts, output, onProgress });
  await expect(made).rejects.toMatchObject({ code: "argument", where: output });
});

describe("the report says how far it is from its source", () => {
  const kldOf = async (made: Parameters<typeof madeModel>[0], options: object) => {
    const { summary, bytes } = await quantizeLanguageModel(madeModel(made), { ...texts, ...options });
    readArtifact(bytes!);
    return summary;
  };

  test("of 8 bits, of 4, and of 4 with down projections of 8", async () => {
    const eight = await kldOf({}, {});
    const four = await kldOf({}, { bits: 4 });
    const large = await kldOf({}, { bits: 4, large: true });
    expect(eight.agreement!.tokens).toBe(255);
    expect(eight.agreement!.kld).toBeLessThan(0.01);
    expect(four.agreement!.kld).toBeLessThan(0.2);
    expect(large.agreement!.kld).toBeLessThan(four.agreement!.kld);
    expect(four.weights.filter(({ bits }) => bits === 8).map(({ name }) => name)).toEqual([
      "model.embed_tokens.weight",
    ]);
    expect(large.weights.filter(({ bits }) => bits === 8).map(({ name }) => name)).toEqual([
      "model.embed_tokens.weight",
      "model.layers.0.mlp.down_proj.weight",
      "model.layers.1.mlp.down_proj.weight",
    ]);
  });

  test.each([
    true,
    false,
  ])("channels of outliers are folded into the norms before them, tied %s", async (tied) => {
    const made = { outliers: 200, tied };
    const folded = await kldOf(made, {});
    const naive = await kldOf(made, { naive: true });
    expect(folded.foldedBy).toBeGreaterThan(0);
    expect(folded.agreement!.kld).toBeLessThan(0.02);
    expect(naive.foldedBy).toBeUndefined();
    expect(naive.agreement!.kld).toBeGreaterThan(10 * folded.agreement!.kld);
  });
});

describe("codes that a source has", () => {
  const weight = "model.layers.1.mlp.up_proj.weight";

  test.each(["plain", "with offsets"] as const)("of 4 bits, %s, are kept", async (codes) => {
    const source = madeModel({ codes });
    const { bytes, summary } = await quantizeLanguageModel(source, texts);
    expect(summary.agreement!.kld).toBeLessThan(0.005);
    expect(summary.foldedBy).toBeUndefined();
    const { graph } = readArtifact(bytes!);
    const own = await source.readCodes!(weight);
    expectSame(graph.constants.get(weight)!.data, own!.codes);
    const layer = graph.nodes.find(({ inputs }) => inputs[1] === weight)!;
    const { scale, groups } = layer.codes!.inputs[1]!;
    if (codes === "with offsets") {
      expect(scale).toBe("");
      expectSame(graph.constants.get(groups!.scales)!.data, own!.scales);
      expectSame(graph.constants.get(groups!.offsets!)!.data, own!.offsets!);
      return;
    }
    const [units, whole] = [scale, groups!.scales].map((name) => graph.constants.get(name)!.data);
    const across = whole!.length / units!.length;
    for (const [i, s] of [...whole!].entries())
      expect(Math.abs(s * units![Math.floor(i / across)]! - own!.scales[i]!)).toBeLessThan(
        0.51 * units![Math.floor(i / across)]!,
      );
  });

  test("are made anew where a number of bits is asked for", async () => {
    const { summary } = await quantizeLanguageModel(madeModel({ codes: "plain" }), { ...texts, bits: 8 });
    expect(summary.weights.every(({ bits }) => bits === 8)).toBe(true);
  });
});

describe("the same bytes", () => {
  test.each([8, 4] as const)("of %i bits, on one thread and two, at once and into a file", async (bits) => {
    const output = join(folder, `made${bits}.octette`);
    const { bytes, contentHash } = await quantizeLanguageModel(madeModel(), { ...texts, bits });
    const written = await quantizeLanguageModel(madeModel(), { ...texts, bits, output, threads: 2 });
    expect(written.bytes).toBeUndefined();
    expect(written.contentHash).toBe(contentHash);
    expectSame(new Uint8Array(await readFile(output)), bytes!);
    expect((await readdir(folder)).filter((name) => name.includes("parts"))).toEqual([]);
  });

  test("by text that the model writes itself: that of a seed", async () => {
    const of = (seed: number) => quantizeLanguageModel(madeModel(), { bits: 4, seed, threads: 1 });
    const [one, same, other] = [await of(1), await of(1), await of(2)];
    expect(one.summary.calibrationTokens).toBe(16 * 256);
    expectSame(same.bytes!, one.bytes!);
    expect(other.contentHash).not.toBe(one.contentHash);
  });

  test.each([
    ["calibrate", 2, 5],
    ["quantize", 1, 3],
    ["quantize", 3, 2],
    ["evaluate", 2, 2],
  ])("where it was interrupted in %s after %i steps, and goes on", async (stage, step, most) => {
    const output = join(folder, "again.octette");
    const options = { ...texts, bits: 4, output } as const;
    const controller = new AbortController();
    const onProgress = (progress: { stage: string; done: number }) => {
      if (progress.stage === stage && progress.done === step) controller.abort(new Error("stop"));
    };
    const { signal } = controller;
    await expect(quantizeLanguageModel(madeModel(), { ...options, onProgress, signal })).rejects.toThrow(
      "stop",
    );
    expect(await readdir(folder)).not.toContain("again.octette");
    const source = madeModel();
    await quantizeLanguageModel(source, options);
    const { bytes } = await quantizeLanguageModel(madeModel(), { ...texts, bits: 4 });
    expectSame(new Uint8Array(await readFile(output)), bytes!);
    // To tell the source, to calibrate and to quantize where that was not done, and for the report.
    expect(source.reads.get("model.layers.0.self_attn.q_proj.weight")).toBeLessThanOrEqual(most);
    await rm(output);
  });

  test("parts of other work are not taken", async () => {
    const output = join(folder, "other.octette");
    const stop = () => {
      throw new Error("stop");
    };
    const onProgress = ({ stage, done }: { stage: string; done: number }) =>
      stage === "quantize" && done === 2 && stop();
    const first = { ...texts, bits: 4, output } as const;
    await expect(quantizeLanguageModel(madeModel(), { ...first, onProgress })).rejects.toThrow("stop");
    await quantizeLanguageModel(madeModel(), { ...texts, bits: 8, output });
    const { bytes } = await quantizeLanguageModel(madeModel(), { ...texts, bits: 8 });
    expectSame(new Uint8Array(await readFile(output)), bytes!);
  });
});

test("options that do not fit, texts that are too short and ids of no token are told", async () => {
  const failing = async (options: object) =>
    quantizeLanguageModel(madeModel(), { ...texts, ...options } as never).then(
      () => "nothing thrown",
      ({ message }: Error) => message,
    );
  expect(await failing({ bits: 5 })).toBe(
    "quantizeLanguageModel: no such number of bits: expected 8 or 4, got 5",
  );
  expect(await failing({ large: true })).toMatch(/large is of 4 bits/);
  expect(await failing({ bits: 4, naive: true })).toMatch(/naive is of 8 bits/);
  expect(await failing({ bit: 4 })).toMatch(/no option "bit".*Did you mean bits/);
  expect(await failing({ calibration: [1] })).toBe(
    "calibration: the text is too short: expected at least 2 tokens; some thousand are good, got 1",
  );
  expect(await failing({ calibration: [1, 2, 50] })).toBe(
    "calibration: a token is not of the vocabulary: expected whole numbers from 0 to 49, got 50 at 2",
  );
  expect(await failing({ evaluation: [] })).toMatch(/evaluation: the text is too short/);
  const { bytes } = await quantizeLanguageModel(madeModel(), texts);
  await expect(quantizeLanguageModel(bytes!)).rejects.toThrow(/is an .octette already/);
});
