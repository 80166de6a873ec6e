// Encoders compiled and run: what transformers computes, in every engine class with the same bytes, and the same bytes for a text alone
// as in a batch with padding behind it.

import { describe, expect, test } from "vitest";
import { openFolder } from "../../../src/formats/hugging-face/open";
import type { Graph } from "../../../src/graph/graph";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { engineClasses, withModel } from "../../engine/engines";
import { farthest, goldenOf, tinyNames, tinyPath, wholeGraph } from "../tiny";

async function graphOf(name: string): Promise<Graph> {
  const source = await openFolder(tinyPath(name));
  const graph = await wholeGraph(buildLanguageGraph(source));
  await source.close();
  return graph;
}

describe.skipIf(!tinyNames.includes("bert"))("models of encoders", () => {
  test.for([
    ["bert", "embedding", "mean_normalised"],
    ["modernbert", "logits", "logits"],
    ["roberta", "logits", "logits"],
  ] as const)("%s", async ([name, output, want]) => {
    const golden = goldenOf(name);
    const graph = await graphOf(name);
    const [batch, tokens] = golden.get("ids")!.shape as [number, number];
    const ids = golden.get("ids")!.data as Int32Array;
    const mask = [...golden.get("mask")!.data];
    const lengths = Int32Array.from(
      { length: batch },
      (_, b) => mask.slice(b * tokens, (b + 1) * tokens).filter(Boolean).length,
    );
    const hasTypes = graph.inputs.some((input) => input.name === "types");
    const outputs = engineClasses.map((engineClass) =>
      withModel(graph, { maxima: { batch, tokens }, engineClass }, (model) => {
        const run = (ids: Int32Array, lengths: Int32Array, tokens: number) => {
          const shape = [lengths.length, tokens];
          const feeds = {
            ids: { dtype: "i32", shape, data: ids } as const,
            lengths,
            ...(hasTypes && { types: { dtype: "i32", shape, data: new Int32Array(ids.length) } as const }),
          };
          return model.runSync(feeds)[output]!;
        };
        const whole = run(ids, lengths, tokens);
        const size = whole.data.length / batch;
        for (const [b, length] of lengths.entries()) {
          const alone = run(ids.slice(b * tokens, b * tokens + length), Int32Array.of(length), length);
          expect(whole.data.slice(b * size, b * size + alone.data.length)).toEqual(alone.data);
        }
        return whole;
      }),
    );
    const [first] = outputs;
    for (const other of outputs) expect(other).toEqual(first);
    const width = first!.data.length / mask.length;
    const isText = (i: number) => first!.shape.length === 2 || mask[Math.floor(i / width)] === 1;
    const texts = (data: ArrayLike<number>) => Array.from(data).filter((_, i) => isText(i));
    const wanted = golden.get(want)!.data;
    expect(farthest(texts(first!.data), texts(wanted))).toBeLessThan(2e-5 * Math.max(...wanted, 1));
  });
});
