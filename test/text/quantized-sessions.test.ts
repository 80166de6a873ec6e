// Sessions of quantized language models, whose caches are codes: the same bytes in chunks of any size, on threads, in every engine
// class, and after being saved in one class and restored in another.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { quantizeLanguageModel } from "../../src/quantize/language/index";
import { type LoadLanguageOptions, loadLanguageModel } from "../../src/text/load-language-model";
import { perplexity } from "../../src/text/perplexity";
import { pretendCores } from "../engine/engines";
import { dataFolder } from "../formats/fixtures";

const kjv = join(dataFolder ?? "", "lm/kjv");

describe.skipIf(dataFolder === undefined || !existsSync(kjv)).each([8, 4] as const)("of %i bits", (bits) => {
  let artifact: Uint8Array;
  let text: string;
  beforeAll(async () => {
    text = readFileSync(join(kjv, "train.txt"), "utf8").slice(0, 20_000);
    artifact = (await quantizeLanguageModel(kjv, { bits, calibration: text, threads: 1 })).bytes!;
  }, 300_000);

  const generated = async (options: LoadLanguageOptions) => {
    using model = await loadLanguageModel(artifact, { maxTokens: 128, ...options });
    if (options.threads) await vi.waitFor(() => expect(model.engine.threads).toBe(options.threads));
    using session = model.session();
    const pieces = [];
    const prompt = text.slice(0, 200);
    for await (const piece of session.generate(prompt, { maxTokens: 30, temperature: 1, seed: 3 }))
      pieces.push(piece);
    return { pieces, saved: session.save() };
  };

  test("are the same, to the bytes of their caches", async () => {
    pretendCores(2);
    const expected = await generated({});
    for (const options of [
      { chunk: 1 },
      { chunk: 7 },
      { engineClass: "baseline" },
      { engineClass: "extmul" },
      { threads: 2 },
    ] as const)
      expect(await generated(options)).toEqual(expected);
  });

  test("are near the float model", async () => {
    using model = await loadLanguageModel(artifact, { maxTokens: 256 });
    using float = await loadLanguageModel(kjv, { maxTokens: 256 });
    const { kld } = await perplexity(model, readFileSync(join(kjv, "eval.txt"), "utf8"), {
      windows: 6,
      against: float,
    });
    expect(kld).toBeLessThan(bits === 8 ? 0.003 : 0.06);
  });
});
