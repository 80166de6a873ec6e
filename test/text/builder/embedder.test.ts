// Decoders whose folders are for embeddings: pooled states are those that the decoder has before its head, and what transformers computes
// where tokens see those after them, too.

import { describe, expect, test } from "vitest";
import type { EmbeddingSettings } from "../../../src/formats/language-source";
import { tensor } from "../../../src/graph/tensor";
import { verify } from "../../../src/graph/verify";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { bindCache } from "../../../src/text/builder/cache";
import { withModel } from "../../engine/engines";
import { evaluate, statesOf } from "../evaluate";
import { farthest, wholeGraph } from "../tiny";
import { type FamilyCase, familyCases, familyNamed, familySource } from "./family-cases";

const ids = Array.from({ length: 13 }, (_, j) => ((3 * j * j + 5 * j + 7) % 38) + 2);
const feeds = { ids: tensor("i32", [1, ids.length], ids) };

/** Families with a cache of keys and values alone. */
const others = ["bloom", "falcon", "lfm2", "mpt"];
const decoders = familyCases.filter(
  ({ name, output, config }) =>
    output === undefined && !name.includes("@") && !others.includes(`${config.model_type}`),
);

const embedding = (pooling: EmbeddingSettings["pooling"], isNormalized = false): EmbeddingSettings => ({
  pooling,
  isNormalized,
});

/** States of all tokens before the head, row by row. */
async function statesBeforeHead(one: FamilyCase): Promise<number[][]> {
  const options = one.length === undefined ? {} : { length: one.length };
  const graph = bindCache(await wholeGraph(buildLanguageGraph(familySource(one), options)), {
    maxTokens: 16,
    chunk: 16,
  });
  const values = evaluate(graph, feeds, statesOf(graph), { position: 0, rows: ids.length });
  const { data, shape } = values.get("normed") ?? values.get("last")!;
  const width = shape.at(-1)!;
  return ids.map((_, i) => [...data.subarray(i * width, (i + 1) * width)]);
}

describe("pooled states of", () => {
  test.for(decoders.map((one) => [one.name, one] as const))("%s", async ([, one]) => {
    const states = await statesBeforeHead(one);
    const mean = states[0]!.map((_, c) => states.reduce((sum, row) => sum + row[c]! / ids.length, 0));
    const want = { cls: states[0]!, last: states.at(-1)!, mean };
    for (const pooling of ["cls", "last", "mean"] as const) {
      const built = buildLanguageGraph(familySource(one), {
        ...(one.length !== undefined && { length: one.length }),
        embedding: embedding(pooling),
      });
      expect([built.text.facts!.task, built.graph.states ?? []]).toEqual(["embedding", []]);
      const graph = await wholeGraph(built);
      verify(graph);
      const most = Math.max(...want[pooling].map(Math.abs));
      const evaluated = evaluate(graph, feeds, new Map(), {}).get("embedding")!;
      expect(farthest(evaluated.data, want[pooling])).toBeLessThan(1e-5 * most);
      const computed = withModel(
        graph,
        { maxima: { tokens: 16 } },
        (model) => model.runSync(feeds).embedding!,
      );
      expect(farthest(computed.data, want[pooling])).toBeLessThan(2e-5 * most);
    }
  });
});

test("a folder that is for embeddings does not generate", () => {
  const source = { ...familyNamed("qwen3"), embedding: embedding("last", true) };
  const { graph, text } = buildLanguageGraph(source);
  expect([graph.outputs, text.facts!.task]).toEqual([["embedding"], "embedding"]);
  expect(buildLanguageGraph(source, { embedding: null }).text.facts!.task).toBe("next-token");
});

test.for(["bloom", "lfm2", "mpt"])("embeddings of %s are refused", (name) => {
  expect(() => buildLanguageGraph(familyNamed(name), { embedding: embedding("mean") })).toThrow(
    `no embeddings are made with this family: expected heads that rotate, or a table of positions, got ${name}`,
  );
});

test("poolings that a model does not have are refused", () => {
  const build = (name: string, pooling: string) => () =>
    buildLanguageGraph(familyNamed(name), { embedding: embedding(pooling as "mean") });
  expect(build("bert!Model", "last")).toThrow("pooling does not fit: expected mean or cls, got last");
  expect(build("qwen3", "max")).toThrow("pooling does not fit: expected mean, cls or last, got max");
});

test("a pooling makes embeddings of a folder that does not say that it is for them", () => {
  const { graph, text } = buildLanguageGraph(familyNamed("llama"), { pooling: "last" });
  expect([graph.outputs, text.facts!.task]).toEqual([["embedding"], "embedding"]);
});

test.for([
  { auto_map: { AutoModel: "modeling_qwen.Qwen2Model" } },
  { architectures: ["Qwen3BidirectionalModel"] },
])("states of a folder's own code are refused: %o", (change) => {
  const source = familyNamed("qwen3");
  const changed = { ...source, config: { ...source.config, ...change } };
  expect(() => buildLanguageGraph(changed, { embedding: embedding("last") })).toThrow("code of its own");
  expect(buildLanguageGraph(changed).text.facts!.task).toBe("next-token");
});

test("tensors that a decoder does not have are refused, though its head is left out", () => {
  const source = familyNamed("opt");
  const tensors = new Map(source.tensors).set("decoder.adapter.weight", { dtype: "F32", shape: [2, 2] });
  expect(() => buildLanguageGraph({ ...source, tensors }, { embedding: embedding("mean") })).toThrow(
    "adapter",
  );
});

test("only Gemma 3 may look ahead, and only for embeddings", () => {
  const change = { use_bidirectional_attention: true };
  for (const name of ["llama", "gemma3_text"]) {
    const source = familyNamed(name);
    expect(() => buildLanguageGraph({ ...source, config: { ...source.config, ...change } })).toThrow(
      "use_bidirectional_attention has a value that octette does not know: expected false",
    );
  }
  const { config, ...llama } = familyNamed("llama");
  const options = { embedding: embedding("mean") };
  expect(() => buildLanguageGraph({ ...llama, config: { ...config, ...change } }, options)).toThrow(
    "use_bidirectional_attention",
  );
});

describe("as transformers computes", () => {
  const cases = familyCases.filter(({ output }) => output === "mean state");
  test.for(cases.map((one) => [one.name, one] as const))("%s", async ([, one]) => {
    const built = buildLanguageGraph(familySource(one), { embedding: embedding("mean") });
    const evaluated = evaluate(await wholeGraph(built), feeds, new Map(), {}).get("embedding")!;
    expect(farthest(evaluated.data, one.want)).toBeLessThan(2e-5 * Math.max(...one.want.map(Math.abs)));
  });
});
