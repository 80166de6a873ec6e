// Small models that write English: their logits over the first window of an unseen text, and their greedy continuations, against PyTorch.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Model } from "../../../src/engine/model";
import { openFolder } from "../../../src/formats/hugging-face/open";
import { readNpy } from "../../../src/formats/npy";
import { readNpz } from "../../../src/formats/npz";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { bindCache } from "../../../src/text/builder/cache";
import { withModel } from "../../engine/engines";
import { dataFolder, realFile } from "../../formats/fixtures";
import { farthest, wholeGraph } from "../tiny";

const folder = (name: string) => join(dataFolder ?? "", "lm", name);
const has = (name: string) => dataFolder !== undefined && existsSync(folder(name));
const CHUNK = 64;

/** Runs `use` on a folder's model. */
async function withFolder(name: string, use: (model: Model) => void): Promise<void> {
  const source = await openFolder(folder(name));
  const graph = bindCache(await wholeGraph(buildLanguageGraph(source)), { maxTokens: 512, chunk: CHUNK });
  await source.close();
  withModel(graph, { maxima: { tokens: CHUNK, rows: CHUNK } }, use);
}

describe.each(["kjv", "llama"])("%s", (name) => {
  test.skipIf(!has(name))("logits of the first window", () =>
    withFolder(name, (model) => {
      const want = readNpy(realFile(`lm/${name}/logits_first_window.npy`)!);
      const tokens = want.shape[0]!;
      const ids = Int32Array.from(readNpy(realFile(`lm/${name}/eval_ids.npy`)!).data.subarray(0, tokens));
      const got = new Float32Array(want.data.length);
      for (let position = 0, at = 0; position < tokens; position += CHUNK) {
        const fed = ids.subarray(position, position + CHUNK);
        const { data } = model.runSync({ ids: fed }, {}, { position, rows: fed.length }).logits!;
        got.set(data as Float32Array, at);
        at += data.length;
      }
      // Of logits up to 19; these were computed with products of 10 bits, 0.013 and 0.032 from those in float64.
      expect(farthest(got, want.data)).toBeLessThan(0.04);
    }),
  );
});

test.skipIf(!has("gguf") || !has("kjv"))("kjv: logits in float32, to 2e-5 of the largest", () =>
  withFolder("kjv", (model) => {
    const golden = readNpz(realFile("lm/gguf/kjv-BF16.npz")!);
    const ids = golden.get("ids")!.data;
    const { logits } = model.runSync({ ids }, {}, { position: 0, rows: ids.length });
    expect(farthest(logits!.data, golden.get("logits")!.data)).toBeLessThan(2e-5 * 18.7);
  }),
);

interface Greedy {
  readonly prompt: string;
  readonly ids: readonly number[];
}

describe.each(["kjv", "prose"])("%s", (name) => {
  const cases: readonly Greedy[] = has(name)
    ? [JSON.parse(readFileSync(join(folder(name), "greedy.json"), "utf8"))].flat()
    : [];
  test.skipIf(cases.length === 0)("greedy continuations", () =>
    withFolder(name, (model) => {
      for (const { ids } of cases) {
        const first = ids.slice(0, 8);
        const got = [...first];
        for (let fed: readonly number[] = first; got.length < ids.length; fed = got.slice(-1)) {
          const position = got.length - fed.length;
          const feeds = { ids: Int32Array.from(fed) };
          const { data } = model.runSync(feeds, {}, { position, rows: 1 }).logits!;
          got.push(data.indexOf(Math.max(...data)));
        }
        expect(got).toEqual(ids);
      }
    }),
  );
});
