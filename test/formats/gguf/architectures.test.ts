// One small model of every architecture against what transformers computes with the same weights in a folder. Keys and names of tensors
// are those of llama.cpp's converter.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { OctetteError } from "../../../src/errors";
import { architectureOf } from "../../../src/formats/gguf/architectures";
import { openGguf } from "../../../src/formats/gguf/open";
import { Random } from "../../../src/graph/random";
import { sizeOf, type Tensor, tensor } from "../../../src/graph/tensor";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { bindCache } from "../../../src/text/builder/cache";
import { loadLanguageModel } from "../../../src/text/load-language-model";
import { elementsOf } from "../../text/builder/family-cases";
import { evaluate, statesOf } from "../../text/evaluate";
import { farthest, wholeGraph } from "../../text/tiny";
import cases from "./architectures.json";
import { type Value, writeGguf } from "./write-gguf";

/** A file's keys and the shapes of its tensors; their elements are a formula of the name. */
interface GgufCase {
  readonly name: string;
  readonly keys: Readonly<Record<string, Value>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  /** Logits of the first and the last of 13 tokens; of encoders, embeddings of two texts, or three rows of hidden states. */
  readonly want: readonly number[];
  readonly output?: "cls" | "mean" | "hidden";
  /** Tokens that a text will have, where longer ones are computed otherwise. */
  readonly length?: number;
}

const all = cases as unknown as readonly GgufCase[];

function fileOf({ keys, tensors }: GgufCase): Uint8Array {
  const written = Object.entries(tensors).map(([name, shape]) => {
    const { data } = elementsOf(name, shape);
    return { name, shape, type: 0, bytes: new Uint8Array(data.buffer, 0, 4 * sizeOf(shape)) };
  });
  return writeGguf({ keys, tensors: written });
}

async function computed(one: GgufCase): Promise<ArrayLike<number>> {
  const { length, output } = one;
  const source = await openGguf(fileOf(one));
  const built = buildLanguageGraph(source, { ...(length !== undefined && { length }) });
  if (output === undefined) {
    const ids = Array.from({ length: 13 }, (_, j) => ((3 * j * j + 5 * j + 7) % 38) + 2);
    const graph = bindCache(await wholeGraph(built), { maxTokens: 32, chunk: 13 });
    const run = { position: 0, rows: 13 };
    const { data } = evaluate(graph, { ids: tensor("i32", [1, 13], ids) }, statesOf(graph), run).get(
      "logits",
    )!;
    const width = data.length / 13;
    return [...data.slice(0, width), ...data.slice(12 * width)];
  }
  const ids = [0, 1].flatMap((i) =>
    Array.from({ length: 11 }, (_, j) => (i === 1 && j >= 7 ? 0 : ((7 * i + 3 * j * j + 5) % 34) + 5)),
  );
  const feeds = {
    ids: tensor("i32", [2, 11], ids),
    types: tensor("i32", [2, 11], []),
    lengths: tensor("i32", [2], [11, 7]),
  };
  const results: ReadonlyMap<string, Tensor> = evaluate(await wholeGraph(built), feeds, new Map(), {});
  if (output !== "hidden") return results.get("embedding")!.data;
  const { data, shape } = results.get("hidden")!;
  const width = shape.at(-1)!;
  return [10, 11, 17].flatMap((row) => [...data.slice(row * width, (row + 1) * width)]);
}

describe("architectures", () => {
  test.each(all.map((one) => [one.name, one] as const))("%s", async (_, one) => {
    const most = Math.max(...one.want.map(Math.abs));
    expect(farthest(await computed(one), one.want)).toBeLessThan(2e-5 * most);
  });
});

const named = (name: string) => all.find((one) => one.name === name)!;

test("an encoder's file embeds texts", async () => {
  const one = named("bert, mean");
  const letters = Array.from(
    { length: 36 },
    (_, i) => `▁${String.fromCharCode(97 + (i % 26)).repeat(1 + i / 26)}`,
  );
  const keys: Record<string, Value> = {
    "tokenizer.ggml.model": ["text", "bert"],
    "tokenizer.ggml.tokens": ["list", "text", ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ...letters]],
    "tokenizer.ggml.token_type": ["list", "i32", [3, 3, 3, 3, ...letters.map(() => 1)]],
  };
  const file = fileOf({ ...one, keys: { ...one.keys, ...keys } });
  const model = await loadLanguageModel(file);
  try {
    const [a, b] = (await model.embed(["a b c", "c b a"])) as [Float32Array, Float32Array];
    const source = await openGguf(file);
    const ids = [2, 4, 5, 6, 3];
    const feeds = {
      ids: tensor("i32", [1, 5], ids),
      types: tensor("i32", [1, 5], []),
      lengths: tensor("i32", [1], [5]),
    };
    const want = evaluate(await wholeGraph(buildLanguageGraph(source)), feeds, new Map(), {}).get(
      "embedding",
    )!;
    expect(farthest(a, want.data)).toBeLessThan(1e-6);
    expect(farthest(a, b)).toBeGreaterThan(1e-3);
  } finally {
    await model.dispose();
  }
});

test.each<[string, string, Record<string, Value>, string, string]>([
  [
    "a decoder that sees what follows",
    "seed_oss",
    { "seed_oss.attention.causal": ["bool", false] },
    "unsupported",
    "causal",
  ],
  ["an encoder that does not", "bert", { "bert.attention.causal": ["bool", true] }, "unsupported", "causal"],
  ["a pooling for ranks", "bert", { "bert.pooling_type": ["u32", 4] }, "unsupported", "pooling_type"],
  ["a pooling that is no kind", "bert", { "bert.pooling_type": ["f32", 0.5] }, "unsupported", "pooling_type"],
  ["another ALiBi", "mpt", { "mpt.attention.max_alibi_bias": ["f32", 0] }, "format", "max_alibi_bias"],
  ["no activation of a layer", "apertus", { "xielu.beta": ["list", "f32", [0.5]] }, "format", "xielu.beta"],
  [
    "a pattern of other layers",
    "exaone4",
    { "exaone4.attention.sliding_window_pattern": ["list", "bool", [true]] },
    "format",
    "sliding_window_pattern",
  ],
  [
    "more layers than there may be",
    "apertus",
    { "apertus.block_count": ["u32", 2 ** 31] },
    "format",
    "block_count",
  ],
  [
    "key heads that share no queries",
    "falcon, groups",
    { "falcon.attention.head_count_kv": ["u32", 3] },
    "format",
    "attn_qkv",
  ],
  [
    "a scale of logits that is not there",
    "command-r",
    { "command-r.logit_scale": ["text", ""] },
    "format",
    "logit_scale",
  ],
])("%s is refused", async (_, name, keys, code, where) => {
  const one = named(name);
  const opened = openGguf(fileOf({ ...one, keys: { ...one.keys, ...keys } }));
  await expect(opened).rejects.toMatchObject({ code, message: expect.stringContaining(where) });
});

test.each(all.map((one) => [one.name, one] as const))("each tensor of %s is needed", async (_, one) => {
  // A head that is not there is the table of tokens; frequencies that nothing changes are those of the base; DistilBERT has no types.
  const types = one.keys["tokenizer.ggml.token_type_count"]?.[1] === 1 ? ["token_types.weight"] : [];
  const spare = new Set(["output.weight", "rope_freqs.weight", ...types]);
  const missed: string[] = [];
  for (const left of Object.keys(one.tensors).filter((name) => !spare.has(name))) {
    const { [left]: _left, ...tensors } = one.tensors;
    try {
      buildLanguageGraph(await openGguf(fileOf({ ...one, tensors })));
      missed.push(left);
    } catch (error) {
      expect(error).toBeInstanceOf(OctetteError);
    }
  }
  expect(missed).toEqual([]);
});

test("the documentation lists every architecture, and each has a case", () => {
  const [, list] = /^\| GGUF, by `general.architecture` \| (.*) \|$/m.exec(
    readFileSync("docs/language-models.md", "utf8"),
  )!;
  const known = list!.split(", ");
  expect(() => architectureOf(undefined, "x")).toThrow(`expected ${known.join(", ")}`);
  // The others are tested with folders.
  const elsewhere = [
    "gemma",
    "gemma2",
    "gemma3",
    "gpt2",
    "lfm2",
    "llama",
    "phi3",
    "qwen2",
    "qwen3",
    "smollm3",
  ];
  const had = all.map(({ keys }) => keys["general.architecture"]![1]);
  expect(known.filter((name) => !had.includes(name))).toEqual(elsewhere);
});

test("files of every architecture with changed keys and tensors are read or refused", async () => {
  const values: readonly Value[] = [
    ["u32", 0],
    ["u32", 3],
    ["u32", 2 ** 32 - 1],
    ["i32", -1],
    ["f32", 0.5],
    ["f32", Number.NaN],
    ["bool", true],
    ["text", "yarn"],
    ["list", "u32", [1, 2, 3, 4]],
  ];
  let works = 0;
  for (let i = 0; i < 400; i++) {
    const random = new Random([3, i + 1, 2, Math.imul(i + 1, 0x85ebca6b)]);
    for (let k = 0; k < 8; k++) random.next();
    const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
    const one = all[i % all.length]!;
    const keys = Object.entries(one.keys);
    const tensors = Object.entries(one.tensors);
    const at = random.below(4);
    if (at === 0) keys.splice(random.below(keys.length), 1);
    else if (at === 1) keys.push([pick(keys)[0], pick(values)]);
    else if (at === 2) tensors.splice(random.below(tensors.length), 1);
    else tensors.push([pick(tensors)[0], [pick([1, 2, 5, 16]), pick([1, 16, 40])]]);
    const changed = { ...one, keys: Object.fromEntries(keys), tensors: Object.fromEntries(tensors) };
    try {
      const built = buildLanguageGraph(await openGguf(fileOf(changed)));
      for (const name of built.graph.constants.keys()) await built.read(name);
      works++;
    } catch (error) {
      if (!(error instanceof OctetteError)) throw Object.assign(error as Error, { one: one.name, i });
    }
  }
  expect(works).toBeGreaterThan(0);
});
