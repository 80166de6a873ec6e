// Decoders of every family against transformers: logits of whole sequences, token by token and in chunks, hidden states and greedy
// answers. The graph is evaluated value by value, so that this is a test of what the builder writes.

import { afterAll, describe, expect, test } from "vitest";
import { openFolder } from "../../../src/formats/hugging-face/open";
import type { LanguageSource } from "../../../src/formats/language-source";
import type { Graph } from "../../../src/graph/graph";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { verify } from "../../../src/graph/verify";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { bindCache } from "../../../src/text/builder/cache";
import { evaluate, statesOf } from "../evaluate";
import { farthest, goldenOf, tinyPath, tinyWith, wholeGraph } from "../tiny";

const names = tinyWith("logits_0");

/** Families whose frequencies depend on the length of the text. */
const dependsOnLength = (name: string) => /dynamic|longrope/.test(name);

describe.skipIf(names.length === 0)("as transformers computes", () => {
  const sources: LanguageSource[] = [];
  afterAll(() => Promise.all(sources.map((source) => source.close())));

  /** The graph of a folder, for texts of `length` tokens where that matters. */
  async function graphOf(name: string, length: number, chunk: number): Promise<Graph> {
    const source = await openFolder(tinyPath(name));
    sources.push(source);
    const built = buildLanguageGraph(source, dependsOnLength(name) ? { length } : {});
    verify(built.graph);
    return bindCache(await wholeGraph(built), { maxTokens: 48, chunk });
  }

  /** Feeds tokens in chunks; the logits of all of them. */
  function logitsOf(graph: Graph, ids: ArrayLike<number>, chunk: number): Float32Array {
    const states = statesOf(graph);
    const parts: number[] = [];
    for (let position = 0; position < ids.length; position += chunk) {
      const fed = Array.from(ids).slice(position, position + chunk);
      const values = evaluate(graph, { ids: tensor("i32", [1, fed.length], fed) }, states, {
        position,
        rows: fed.length,
      });
      parts.push(...values.get("logits")!.data);
    }
    return Float32Array.from(parts);
  }

  describe.each(names)("%s", (name) => {
    const golden = goldenOf(name);
    const tight = golden.get("tight")!.data[0]!;
    const get = (array: string): Tensor => golden.get(array)!;

    test.for([0, 1])("logits of sequence %i: whole, token by token, in chunks of 5", async (k) => {
      const ids = get(`ids_${k}`).data;
      for (const chunk of [ids.length, 1, 5]) {
        const graph = await graphOf(name, ids.length, chunk);
        const want = chunk === 1 && !dependsOnLength(name) ? "cached" : "logits";
        expect(farthest(logitsOf(graph, ids, chunk), get(`${want}_${k}`).data)).toBeLessThan(tight);
      }
    });

    test("hidden states, the last after the final norm", async () => {
      const ids = get("ids_0").data;
      const graph = await graphOf(name, ids.length, ids.length);
      const fed = { ids: tensor("i32", [1, ids.length], ids) };
      const values = evaluate(graph, fed, statesOf(graph), { position: 0, rows: ids.length });
      const { data, shape } = get("hidden_0");
      const [count, tokens, width] = shape as [number, number, number];
      for (let i = 0; i < count; i++) {
        const value = values.get(i === count - 1 ? "normed" : `hidden.${i}`)!;
        const want = data.subarray(i * tokens * width, (i + 1) * tokens * width);
        const most = Math.max(...want.map(Math.abs));
        expect(farthest(value.data, want)).toBeLessThan(2e-5 * Math.max(most, 1));
      }
    });

    test("the most likely token each time", async () => {
      const [prompt, want] = [get("greedy_prompt").data, get("greedy").data];
      const graph = await graphOf(name, 0, 8);
      const states = statesOf(graph);
      const got: number[] = [];
      for (let position = 0, fed = Array.from(prompt); got.length < want.length; fed = got.slice(-1)) {
        const ids = tensor("i32", [1, fed.length], fed);
        const { data } = evaluate(graph, { ids }, states, { position, rows: 1 }).get("logits")!;
        position += fed.length;
        got.push(data.indexOf(Math.max(...data)));
      }
      expect(got).toEqual([...want]);
    });
  });
});
