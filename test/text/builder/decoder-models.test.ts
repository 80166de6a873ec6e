// Decoders of every family, compiled and run: the logits of transformers, and the same bytes whether tokens come at once, one by one or
// in chunks, in every engine class.

import { describe, expect, test } from "vitest";
import { openFolder } from "../../../src/formats/hugging-face/open";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { bindCache } from "../../../src/text/builder/cache";
import { engineClasses, withModel } from "../../engine/engines";
import { farthest, goldenOf, tinyPath, tinyWith, wholeGraph } from "../tiny";

const names = tinyWith("logits_0");

describe.skipIf(names.length === 0)("models of decoders", () => {
  test.each(names)("%s", async (name) => {
    const golden = goldenOf(name);
    const source = await openFolder(tinyPath(name));
    const ids = golden.get("ids_1")!.data;
    const built = buildLanguageGraph(source, /dynamic|longrope/.test(name) ? { length: ids.length } : {});
    const graph = bindCache(await wholeGraph(built), { maxTokens: ids.length, chunk: ids.length });
    await source.close();
    const outputs = engineClasses.flatMap((engineClass) =>
      [ids.length, 5, 1].map((chunk) =>
        withModel(graph, { maxima: { tokens: chunk, rows: chunk }, engineClass }, (model) => {
          const logits: number[] = [];
          for (let position = 0; position < ids.length; position += chunk) {
            const fed = ids.subarray(position, position + chunk);
            logits.push(...model.runSync({ ids: fed }, {}, { position, rows: fed.length }).logits!.data);
          }
          return Float32Array.from(logits);
        }),
      ),
    );
    const [first] = outputs;
    expect(farthest(first!, golden.get("logits_1")!.data)).toBeLessThan(golden.get("tight")!.data[0]!);
    for (const other of outputs) expect(other).toEqual(first);
  });
});
