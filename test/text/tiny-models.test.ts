// Language models of shared data, loaded from folders and GGUF files: greedy tokens and perplexity as transformers has them, and the
// same bytes in chunks of any size, on any number of threads, in every engine class.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { readNpy } from "../../src/formats/npy";
import { createSha256 } from "../../src/graph/sha256";
import { bytesIn } from "../../src/graph/tensor";
import { Cache } from "../../src/text/decoder";
import type { LanguageModel } from "../../src/text/language-model";
import { type LoadLanguageOptions, loadLanguageModel } from "../../src/text/load-language-model";
import { perplexity } from "../../src/text/perplexity";
import { pretendCores } from "../engine/engines";
import { dataFolder } from "../formats/fixtures";
import { goldenOf, tinyNames, tinyPath, tinyWith } from "./tiny";

const numbers = (data: ArrayLike<number | bigint>) => Array.from(data as ArrayLike<number>, Number);

describe.skipIf(tinyNames.length === 0)("greedy tokens", () => {
  test.each(tinyWith("greedy"))("of %s are those of transformers", async (name) => {
    const golden = goldenOf(name);
    const prompt = numbers(golden.get("greedy_prompt")!.data);
    const wanted = numbers(golden.get("greedy")!.data);
    using model = await loadLanguageModel(tinyPath(name));
    using session = model.session();
    const tokens: number[] = [];
    for await (const { token } of session.generate(prompt, { maxTokens: wanted.length })) tokens.push(token);
    expect(tokens).toEqual(wanted);
  });
});

/** Hash of the logits of all rows of a sequence, read in parts of these sizes and last in parts of the last one. */
function hashOf({ decoder }: LanguageModel, ids: Int32Array, ...parts: number[]): string {
  const cache = new Cache();
  const hash = createSha256();
  for (let at = 0; at < ids.length; ) {
    const part = ids.subarray(at, at + (parts.length > 1 ? parts.shift()! : parts[0]!));
    const logits = new Float32Array(part.length * decoder.vocabulary);
    decoder.run(cache, part, logits);
    hash.update(bytesIn(logits));
    at += part.length;
  }
  decoder.close(cache);
  return hash.digest();
}

describe.skipIf(tinyNames.length === 0)("the same bytes", () => {
  const names = ["llama", "gemma3", "mistral", "lfm2"].filter((name) => tinyWith("greedy").includes(name));
  const idsOf = (name: string) => Int32Array.from(numbers(goldenOf(name).get("ids_1")!.data));
  const hashed = async (name: string, options: LoadLanguageOptions, ...parts: number[]) => {
    using model = await loadLanguageModel(tinyPath(name), { maxTokens: 32, ...options });
    if (options.threads) await vi.waitFor(() => expect(model.engine.threads).toBe(options.threads));
    return hashOf(model, idsOf(name), ...parts);
  };

  test.each(names)("of %s by any chunks and token by token", async (name) => {
    const expected = await hashed(name, { chunk: 32 }, 32);
    for (const parts of [[1], [4], [17, 1], [1, 3, 17]])
      expect(await hashed(name, { chunk: 17 }, ...parts)).toBe(expected);
  });

  test.each(names)("of %s in other engine classes, and on two threads", async (name) => {
    pretendCores(2);
    const expected = await hashed(name, {}, 7);
    for (const engineClass of ["baseline", "extmul"] as const)
      expect(await hashed(name, { engineClass }, 7)).toBe(expected);
    expect(await hashed(name, { threads: 2 }, 7)).toBe(expected);
  });

  test.each(names)("of a session of %s that goes back to where a prompt parts", async (name) => {
    using model = await loadLanguageModel(tinyPath(name), { maxTokens: 32 });
    const ids = [...idsOf(name)];
    const tokensAfter = async (...prompts: number[][]) => {
      using session = model.session();
      const tokens: number[] = [];
      for (const prompt of prompts) await session.prefill(prompt, { reuse: true });
      const options = { maxTokens: 2, temperature: 1, seed: 5 };
      for await (const { token } of session.generate([], options)) tokens.push(token);
      const saved = session.save();
      using restored = model.session();
      restored.restore(saved);
      for await (const { token } of restored.generate([], { maxTokens: 1 })) tokens.push(token);
      return tokens;
    };
    const prompt = [...ids.slice(0, 12), 3, 4];
    expect(await tokensAfter(ids, prompt)).toEqual(await tokensAfter(prompt));
    expect(await tokensAfter(ids, ids.slice(0, 20))).toEqual(await tokensAfter(ids.slice(0, 20)));
  });
});

const kjv = join(dataFolder ?? "", "lm/kjv");
describe.skipIf(dataFolder === undefined || !existsSync(kjv))("perplexity", () => {
  test("of kjv is PyTorch's, on text and on ids", async () => {
    using model = await loadLanguageModel(kjv);
    const ids = readNpy(new Uint8Array(readFileSync(join(kjv, "eval_ids.npy"))), "eval_ids.npy");
    const found = await perplexity(model, numbers(ids.data), { windows: 4 });
    const text = readFileSync(join(kjv, "eval.txt"), "utf8");
    expect(await perplexity(model, text, { windows: 4 })).toEqual(found);
    expect(found).toMatchObject({ tokens: 4 * 255, windows: 4 });
    expect(found.perplexity).toBeCloseTo(Math.exp(found.nats), 9);
    const same = await perplexity(model, numbers(ids.data), { windows: 1, window: 100, against: model });
    expect(same).toMatchObject({ kld: 0, top1: 100, tokens: 99 });
  });
});
