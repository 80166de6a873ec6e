// Where language models come from: a folder by path and as files, a GGUF file, an artifact, read from a file and from chunks.

import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { FormatError, OctetteError } from "../../src/errors";
import { applyDelta, writeDelta } from "../../src/formats/delta";
import { readParts, writeParts } from "../../src/formats/octette";
import { tensor } from "../../src/graph/tensor";
import { save } from "../../src/index";
import type { LanguageModel } from "../../src/text/language-model";
import type { Prompt } from "../../src/text/language-session";
import { loadLanguageModel } from "../../src/text/load-language-model";
import { denseGraph } from "../check-model";
import { dataFolder } from "../formats/fixtures";
import { artifactOfFolder } from "./artifact-of";

const kjv = join(dataFolder ?? "", "lm/kjv");
const gguf = join(dataFolder ?? "", "lm/gguf/kjv-BF16.gguf");
const names = [
  "config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
  "generation_config.json",
];
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(kjv, name)));

const PROMPT = "In the beginning";
async function textOf(model: LanguageModel, prompt: Prompt = PROMPT): Promise<string> {
  using session = model.session();
  let whole = "";
  for await (const { text } of session.generate(prompt, { maxTokens: 12 })) whole += text;
  return whole;
}

describe.skipIf(dataFolder === undefined || !existsSync(kjv))("a language model", () => {
  const expected = " of the end of the days of the end of the days";
  let folder: string;
  let path: string;
  let artifact: Uint8Array;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "octette-loading-"));
    path = join(folder, "kjv.octette");
    artifact = await artifactOfFolder(kjv);
    await writeFile(path, artifact);
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("comes from a folder: a path, a map of files, the files of a page", async () => {
    const sources = new Map(names.map((name) => [name, bytesOf(name)] as const));
    const files = names.map((name) => new File([bytesOf(name)], name));
    for (const source of [kjv, sources, Object.fromEntries(sources), files]) {
      using model = await loadLanguageModel(source);
      expect(await textOf(model)).toBe(expected);
    }
  });

  test("runs on the kernels that octette/runtime has compiled", async () => {
    const small = save(denseGraph({ k: 3, n: 2, mode: "float" }));
    vi.resetModules();
    const runtime = await import("../../src/runtime/index");
    const fresh = await import("../../src/text/index");
    const compile = vi.spyOn(WebAssembly, "compile");
    const sizes = () => compile.mock.calls.map(([bytes]) => (bytes as Uint8Array).length);
    try {
      (await runtime.load(small)).dispose();
      expect(sizes().length).toBeGreaterThan(0);
      (await fresh.loadLanguageModel(kjv)).dispose();
      expect(new Set(sizes()).size).toBe(sizes().length);
    } finally {
      compile.mockRestore();
    }
  });

  test("comes from a GGUF file: a path, bytes, chunks", async () => {
    const bytes = new Uint8Array(readFileSync(gguf));
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
    }
    for (const source of [gguf, bytes, new Blob([bytes]), chunks()]) {
      using model = await loadLanguageModel(source);
      expect(await textOf(model)).toBe(expected);
    }
  });

  test("comes from an artifact, with tokenizer and all: a path, bytes, a Response", async () => {
    for (const source of [path, artifact, new Response(artifact as BodyInit)]) {
      using model = await loadLanguageModel(source, { maxTokens: 64 });
      expect(await textOf(model)).toBe(expected);
      expect(model.memory.cache).toBe(64 * model.memory.cachePerToken);
    }
  });

  test("comes from an artifact of earlier, with its tokenizer in the header", async () => {
    const earlier = await artifactOfFolder(kjv, (text) => ({ text: JSON.stringify(text) }));
    using model = await loadLanguageModel(earlier);
    expect(await textOf(model)).toBe(expected);
  });

  test("generates from tokens without what only encoding takes", async () => {
    const { tensors, metadata } = readParts(artifact, "kjv");
    const { merges, vocab } = JSON.parse(metadata.text!).tokenizer.model;
    const nothing = tensor("u8", [2, 64], Array(128).fill(0x0a));
    const { graph = "", provenance = "", text = "" } = metadata;
    const damaged = writeParts(new Map([...tensors, [merges, nothing]]), { graph, provenance, text });
    using whole = await loadLanguageModel(artifact);
    using model = await loadLanguageModel(damaged);
    const ids = (await whole.tokenizer()).encode(PROMPT);
    expect(await textOf(model, ids)).toBe(expected);
    await expect(textOf(model)).rejects.toThrow("malformed tokenizer");
    const names = [...model.graph.constants.keys()];
    expect(names.filter((name) => name === vocab || name === merges)).toEqual([]);
  });

  test("is refused where a node reads what is a text", async () => {
    const { tensors, metadata } = readParts(artifact, "kjv");
    const { graph = "", provenance = "", text = "" } = metadata;
    const weight = [...tensors].find(([, { dtype, shape }]) => dtype === "f32" && shape.length === 2)![0];
    const bytes = tensor("u8", [2, 64], []);
    const { vocab } = JSON.parse(text).tokenizer.model;
    const parts = { graph, provenance, text: text.replaceAll(JSON.stringify(vocab), JSON.stringify(weight)) };
    const forged = writeParts(new Map([...tensors, [weight, bytes]]), parts);
    await expect(loadLanguageModel(forged)).rejects.toThrow(`input "${weight}"`);
    const missing = new Map(tensors);
    missing.delete(vocab);
    await expect(loadLanguageModel(writeParts(missing, { graph, provenance, text }))).rejects.toThrow(
      `tensor "${vocab}": its text names a tensor that is none`,
    );
  });

  test("is tuned by a delta, its texts kept", async () => {
    const { tensors, metadata } = readParts(artifact, "kjv");
    const { graph = "", provenance = "", text = "" } = metadata;
    const [name, { shape, data }] = [...tensors].find(([, { dtype }]) => dtype === "f32")!;
    const tuned = writeParts(
      new Map([
        ...tensors,
        [
          name,
          tensor(
            "f32",
            shape,
            Array.from(data, (x) => 2 * x),
          ),
        ],
      ]),
      { graph, provenance, text },
    );
    const made = applyDelta(artifact, writeDelta(artifact, tuned));
    expect(Buffer.compare(made, tuned)).toBe(0);
  });

  test("tells how far loading is, and stops", async () => {
    for (const source of [kjv, path]) {
      const done: number[] = [];
      using _ = await loadLanguageModel(source, { onProgress: (progress) => done.push(progress.done) });
      expect(done.length).toBeGreaterThan(10);
      expect(done).toEqual(done.toSorted((a, b) => a - b));
      const signal = AbortSignal.abort(new Error("enough"));
      await expect(loadLanguageModel(source, { signal })).rejects.toThrow("enough");
    }
  });

  test("is restored where the same artifact is, whatever it is loaded for", async () => {
    using one = await loadLanguageModel(path, { maxTokens: 64, chunk: 3 });
    using other = await loadLanguageModel(path, { maxTokens: 100, engineClass: "extmul" });
    using first = one.session();
    await first.prefill(PROMPT);
    using second = other.session();
    second.restore(first.save());
    let whole = "";
    for await (const { text } of second.generate([], { maxTokens: 12 })) whole += text;
    expect(whole).toBe(expected);
    using third = await loadLanguageModel(kjv);
    expect(() => third.session().restore(first.save())).toThrow(/another model/);
  });

  test("that takes too much memory, or is none, is refused", async () => {
    await expect(loadLanguageModel(kjv, { maxBytes: "1MB" })).rejects.toThrow(
      /takes more memory than it may/,
    );
    await expect(loadLanguageModel(kjv, { maxTokens: 513 })).rejects.toThrow(
      /made for fewer tokens.*at most 512/,
    );
    await expect(loadLanguageModel(kjv, { maxTokens: 0 })).rejects.toThrow(
      /maxTokens.*a whole number from 1/,
    );
    await expect(loadLanguageModel(join(kjv, "config.json"))).rejects.toThrow(/not a language model/);
    await expect(loadLanguageModel(join(kjv, "none"))).rejects.toThrow(OctetteError);
    await expect(loadLanguageModel(artifact.slice(0, -1))).rejects.toThrow(FormatError);
    const changed = artifact.slice();
    changed[changed.length - 9]! ^= 1;
    await expect(loadLanguageModel(changed)).rejects.toThrow(FormatError);
  });
});
