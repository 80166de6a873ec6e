// Where language models come from: a folder by path and as files, a GGUF file, an artifact, read from a file and from chunks.

import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FormatError, OctetteError } from "../../src/errors";
import type { LanguageModel } from "../../src/text/language-model";
import { loadLanguageModel } from "../../src/text/load-language-model";
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
async function textOf(model: LanguageModel): Promise<string> {
  using session = model.session();
  let whole = "";
  for await (const { text } of session.generate(PROMPT, { maxTokens: 12 })) whole += text;
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
