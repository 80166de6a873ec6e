// Encoders against transformers: hidden states, poolings, types of tokens, logits of masked tokens and of classes; and that a text does
// not feel the padding behind it. The graph is evaluated value by value.

import { afterAll, describe, expect, test } from "vitest";
import { openFolder } from "../../../src/formats/hugging-face/open";
import type { LanguageSource } from "../../../src/formats/language-source";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { verify } from "../../../src/graph/verify";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import type { LanguageGraphOptions } from "../../../src/text/builder/graph-of";
import { evaluate } from "../evaluate";
import { farthest, goldenOf, tinyNames, tinyPath, wholeGraph } from "../tiny";

const hasData = tinyNames.includes("bert");

describe.skipIf(!hasData)("as transformers computes", () => {
  const sources: LanguageSource[] = [];
  afterAll(() => Promise.all(sources.map((source) => source.close())));

  /** Values of a folder's graph over the texts of its golden file, or over the first tokens of them. */
  async function run(name: string, options: LanguageGraphOptions = {}, types?: Tensor, most = Infinity) {
    const golden = goldenOf(name);
    const source = await openFolder(tinyPath(name));
    sources.push(source);
    const built = buildLanguageGraph(source, options);
    verify(built.graph);
    const { data, shape } = golden.get("ids")!;
    const [batch, tokens] = shape as [number, number];
    const cut = Math.min(tokens, most);
    const rows = Array.from({ length: batch }, (_, b) => [...data.subarray(b * tokens, b * tokens + cut)]);
    const mask = [...golden.get("mask")!.data];
    const lengths = rows.map((_, b) => mask.slice(b * tokens, b * tokens + cut).filter(Boolean).length);
    const values = evaluate(
      await wholeGraph(built),
      {
        ids: tensor("i32", [batch, cut], rows.flat()),
        lengths: tensor("i32", [batch], lengths),
        types: types ?? tensor("i32", [batch, cut], []),
      },
      new Map(),
      {},
    );
    return { golden, values, lengths, facts: built.text.facts!, outputs: built.graph.outputs };
  }

  type Run = Awaited<ReturnType<typeof run>>;

  /** Every row up to its length. */
  function expectRows({ values, lengths }: Run, name: string, want: Tensor, atol: number): void {
    const got = values.get(name)!;
    expect(got.shape).toEqual(want.shape);
    const [, tokens, width] = want.shape as [number, number, number];
    for (const [b, length] of lengths.entries()) {
      const part = ({ data }: Tensor) => data.subarray(b * tokens * width, (b * tokens + length) * width);
      expect(farthest(part(got), part(want))).toBeLessThan(atol);
    }
  }

  const bert = async (options: LanguageGraphOptions, types?: Tensor) => {
    const result = await run("bert", options, types);
    return { ...result, atol: result.golden.get("atol")!.data[0]! / 5 };
  };

  test("bert: hidden states and pooler", async () => {
    const result = await bert({ embedding: null });
    expect(result.outputs).toEqual(["hidden", "pooler"]);
    expect(result.facts).toEqual({ task: "hidden", maxPositions: 64 });
    expectRows(result, "hidden", result.golden.get("hidden")!, result.atol);
    expect(farthest(result.values.get("pooler")!.data, result.golden.get("pooler")!.data)).toBeLessThan(2e-5);
  });

  test("bert: types of tokens", async () => {
    const result = await bert({ embedding: null }, goldenOf("bert").get("type_ids")!);
    expectRows(result, "hidden", result.golden.get("hidden_types")!, result.atol);
  });

  test.for([
    ["mean", { embedding: { pooling: "mean", isNormalized: false } }],
    ["mean_normalised", {}],
    ["cls_normalised", { embedding: { pooling: "cls", isNormalized: true } }],
  ] as const)("bert: embeddings, %s", async ([want, options]) => {
    const { values, golden, facts, outputs } = await bert(options);
    expect(outputs).toEqual(["embedding"]);
    expect(facts).toMatchObject({ task: "embedding" });
    expect(farthest(values.get("embedding")!.data, golden.get(want)!.data)).toBeLessThan(2e-5);
  });

  test("the folder says to which length texts are cut", async () => {
    expect((await bert({})).facts.maxPositions).toBe(32);
  });

  test("modernbert: hidden states and logits of every token", async () => {
    const result = await run("modernbert");
    const atol = result.golden.get("atol")!.data[0]! / 5;
    expect(result.facts).toEqual({ task: "every-token", maxPositions: 128 });
    expectRows(result, "hidden", result.golden.get("hidden")!, atol);
    expectRows(result, "logits", result.golden.get("logits")!, atol);
  });

  test("roberta: logits of classes, by name", async () => {
    const { values, golden, facts } = await run("roberta");
    const atol = golden.get("atol")!.data[0]! / 5;
    expect(facts).toEqual({ task: "classes", maxPositions: 64, labels: ["bad", "so-so", "good"] });
    expect(farthest(values.get("logits")!.data, golden.get("logits")!.data)).toBeLessThan(atol);
  });

  test.for([
    ["bert", "hidden", { embedding: null }],
    ["modernbert", "hidden", {}],
    ["roberta", "hidden", {}],
  ] as const)("%s: a text does not feel the padding behind it", async ([name, value, options]) => {
    const whole = await run(name, options);
    const least = Math.min(...whole.lengths);
    const b = whole.lengths.indexOf(least);
    const cut = await run(name, options, undefined, least);
    const rowOf = ({ values }: Run): number[] => {
      const { data, shape } = values.get(value)!;
      const size = data.length / shape[0]!;
      return [...data.subarray(b * size, b * size + least * shape[2]!)];
    };
    expect(rowOf(whole)).toEqual(rowOf(cut));
  });
});
