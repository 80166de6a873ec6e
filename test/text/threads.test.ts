// Prompts of any size on any number of threads: the same logits, of a model of 8 bits and of one of 4.

import { beforeEach, describe, expect, test, vi } from "vitest";
import { quantizeLanguageModel } from "../../src/quantize-language";
import { Cache } from "../../src/text/decoder";
import { loadLanguageModel } from "../../src/text/load-language-model";
import { pretendCores } from "../engine/engines";
import { madeIds, madeModel } from "../quantize/language/made-model";

beforeEach(() => pretendCores(4));

const ids = madeIds(250);
/** Tokens that are read one prompt after another: few and many, whole tiles of rows and not. */
const prompts = [1, 2, 5, 64, 33, 17, 100, 28];

describe.each([8, 4] as const)("of %i bits", (bits) => {
  test("logits do not depend on threads", async () => {
    const texts = { calibration: madeIds(256), threads: 1 };
    const { bytes } = await quantizeLanguageModel(madeModel(), { bits, ...texts });
    const logitsOn = async (threads: number) => {
      using model = await loadLanguageModel(bytes!, { threads, chunk: 100, maxTokens: 250 });
      await vi.waitFor(() => expect(model.engine.threads).toBe(threads), { timeout: 20_000 });
      const { decoder } = model;
      const cache = new Cache();
      return prompts.map((tokens) => {
        const logits = new Float32Array(tokens * model.vocabulary);
        decoder.run(cache, ids.subarray(cache.position, cache.position + tokens), logits);
        return logits;
      });
    };
    const expected = await logitsOn(1);
    for (const threads of [2, 3]) expect(await logitsOn(threads)).toEqual(expected);
  });
});
