// Models of GGUF files on kernels, float activations: logits, greedy answers and perplexity of the same weights in transformers.

import { describe, expect, test } from "vitest";
import { openGguf } from "../../../src/formats/gguf/open";
import { readNpz } from "../../../src/formats/npz";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { bindCache } from "../../../src/text/builder/cache";
import { createTokenizer } from "../../../src/text/tokenizer";
import { engineClasses, withModel } from "../../engine/engines";
import { farthest, wholeGraph } from "../../text/tiny";
import { realFile } from "../fixtures";

const names = ["kjv-BF16", "kjv-Q8_0", "kjv-Q4_0", "kjv-legacy-mix", "w256-Q4_K_M", "w256-Q5_K_M"].filter(
  (name) => realFile(`lm/gguf/${name}.gguf`),
);
/** Whose perplexity is measured, and over how many windows; the texts of w256 are not among the data. */
const measured: Readonly<Record<string, number>> = { "kjv-Q4_0": 263 };
const WINDOW = 256;
const CHUNK = 64;

type Feed = (ids: ArrayLike<number>, position: number, rows: number) => Float32Array;

async function opened(name: string) {
  const source = await openGguf(realFile(`lm/gguf/${name}.gguf`)!);
  const built = buildLanguageGraph(source);
  const graph = bindCache(await wholeGraph(built), { maxTokens: WINDOW, chunk: CHUNK });
  const own = await createTokenizer(source.text);
  await source.close();
  return { graph, own, vocabulary: Number(source.config.vocab_size) };
}

/** Nats of each token after the first of a window. */
function natsOf(feed: Feed, ids: Int32Array, vocabulary: number): number {
  let nats = 0;
  for (let position = 0; position < WINDOW; position += CHUNK) {
    const logits = feed(ids.subarray(position, position + CHUNK), position, CHUNK);
    for (let row = 0; row < CHUNK && position + row + 1 < WINDOW; row++) {
      const own = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
      const most = Math.max(...own);
      const sum = own.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
      nats += most + Math.log(sum) - own[ids[position + row + 1]!]!;
    }
  }
  return nats;
}

describe.skipIf(names.length === 0)("as transformers computes", () => {
  describe.each(names)("%s", (name) => {
    const arrays = readNpz(realFile(`lm/gguf/${name}.npz`)!);
    const golden = (array: string) => arrays.get(array)!.data;
    const figures = JSON.parse(new TextDecoder().decode(realFile("lm/gguf/figures.json")));

    test("logits and greedy answer, the same bytes in every engine class", async () => {
      const { graph } = await opened(name);
      const all = engineClasses.map((engineClass) =>
        withModel(graph, { maxima: { tokens: CHUNK, rows: CHUNK }, engineClass }, (model) => {
          const feed: Feed = (ids, position, rows) =>
            model.runSync({ ids: Int32Array.from(ids) }, {}, { position, rows }).logits!.data as Float32Array;
          const logits = feed(golden("ids"), 0, golden("ids").length).slice();
          const answer: number[] = [];
          let position = 0;
          for (let fed = [...golden("prompt")]; answer.length < golden("greedy").length; ) {
            const last = feed(fed, position, 1);
            position += fed.length;
            const next = last.indexOf(Math.max(...last));
            fed = [next];
            answer.push(next);
          }
          return { logits, answer };
        }),
      );
      const [{ logits, answer }] = all as [(typeof all)[0]];
      const want = golden("logits") as Float32Array;
      expect(farthest(logits, want)).toBeLessThan(1e-5 * Math.max(...want.map(Math.abs)));
      expect(answer).toEqual([...golden("greedy")]);
      for (const other of all) expect(other).toEqual({ logits, answer });
    });

    test.skipIf(!(name in measured))("perplexity of the Bible's text", async () => {
      const { graph, own, vocabulary } = await opened(name);
      const ids = own.encode(new TextDecoder().decode(realFile("lm/kjv/eval.txt")));
      const windows = measured[name]!;
      let nats = 0;
      withModel(graph, { maxima: { tokens: CHUNK, rows: CHUNK }, engineClass: "baseline" }, (model) => {
        const feed: Feed = (ids, position, rows) =>
          model.runSync({ ids: Int32Array.from(ids) }, {}, { position, rows }).logits!.data as Float32Array;
        for (let w = 0; w < windows; w++)
          nats += natsOf(feed, ids.subarray(w * WINDOW, (w + 1) * WINDOW), vocabulary);
      });
      const perplexity = Math.exp(nats / (windows * (WINDOW - 1)));
      expect(Math.abs(perplexity - figures[name].ppl)).toBeLessThan(0.01);
    });
  });
});
