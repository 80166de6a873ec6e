import { afterAll, describe, expect, test } from "vitest";
import { openGguf } from "../../../src/formats/gguf/open";
import { openFolder } from "../../../src/formats/hugging-face/open";
import type { LanguageSource } from "../../../src/formats/language-source";
import { readNpz } from "../../../src/formats/npz";
import { type Tensor, tensor } from "../../../src/graph/tensor";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { bindCache } from "../../../src/text/builder/cache";
import { createTokenizer } from "../../../src/text/tokenizer";
import { evaluate, statesOf } from "../../text/evaluate";
import { farthest, goldenOf, tinyNames, tinyPath, wholeGraph } from "../../text/tiny";
import { realFile } from "../fixtures";
import { folderAsGguf } from "./convert";
import { type GgufFile, type Value, writeGguf } from "./write-gguf";

const sources: LanguageSource[] = [];
afterAll(() => Promise.all(sources.map((source) => source.close())));
const kept = async (source: Promise<LanguageSource>): Promise<LanguageSource> => {
  sources.push(await source);
  return sources.at(-1)!;
};

/** Folders that GGUF can say, and their architectures there. */
const folders = [
  ["llama", "llama"],
  ["llama_v4", "llama"],
  ["llama_bias", "llama"],
  ["llama3", "llama"],
  ["llama3_v4", "llama"],
  ["llama_linear_v4", "llama"],
  ["llama_yarn", "llama"],
  ["qwen2", "qwen2"],
  ["qwen3", "qwen3"],
  ["gemma2", "gemma2"],
  ["gemma3", "gemma3"],
  ["gpt2", "gpt2"],
  ["phi3", "phi3"],
  ["phi3_longrope", "phi3"],
  ["lfm2", "lfm2"],
  ["smollm3", "smollm3"],
].filter(([folder]) => tinyNames.includes(folder!)) as [string, string][];

/** What llama.cpp knows and no key says: other models of these families have other values. */
const unsaid: Readonly<Record<string, Record<string, unknown>>> = {
  gemma2: { query_pre_attn_scalar: 20 },
  gemma3: { query_pre_attn_scalar: 20 },
  smollm3: { no_rope_layers: [1, 0, 1, 0] },
};

describe.skipIf(folders.length === 0)("a folder as GGUF is the same model", () => {
  test.each(folders)("%s", async (folder, architecture) => {
    const gguf = await kept(openGguf(await folderAsGguf(tinyPath(folder), architecture)));
    const own = await kept(openFolder(tinyPath(folder)));
    expect(new Set(gguf.tensors.keys())).toEqual(new Set(own.tensors.keys()));
    for (const [name, { shape }] of own.tensors) expect(gguf.tensors.get(name)!.shape, name).toEqual(shape);
    const config = { ...gguf.config, ...unsaid[architecture] };
    const [a, b] = [buildLanguageGraph({ ...gguf, config }), buildLanguageGraph(own)];
    const frequencies = (name: string) => /inverse|frequencies/.test(name);
    const plainNodes = (built: typeof a) =>
      built.graph.nodes.map(({ op, inputs, outputs, attributes }) => ({
        op,
        inputs,
        outputs,
        // A file's epsilon is an f32.
        attributes: Object.entries(attributes).map(([key, value]) => [
          key,
          typeof value === "number" ? Math.fround(value) : value,
        ]),
      }));
    expect(plainNodes(a)).toEqual(plainNodes(b));
    expect([...a.graph.constants.keys()].sort()).toEqual([...b.graph.constants.keys()].sort());
    for (const name of b.graph.constants.keys()) {
      const [got, want] = [await a.read(name), await b.read(name)];
      expect(got.shape).toEqual(want.shape);
      // Frequencies are worked out from an f32 base, or from factors.
      if (frequencies(name)) {
        const most = Math.max(...want.data.map(Math.abs));
        expect(farthest(got.data, want.data), name).toBeLessThan(1e-6 * most);
      } else expect(got.data, name).toEqual(want.data);
    }
    const golden = goldenOf(folder);
    const ids = golden.get("ids_0")!.data;
    const graph = bindCache(await wholeGraph(a), { maxTokens: ids.length, chunk: ids.length });
    const fed = { ids: tensor("i32", [1, ids.length], ids) };
    const values = evaluate(graph, fed, statesOf(graph), { position: 0, rows: ids.length });
    expect(farthest(values.get("logits")!.data, golden.get("logits_0")!.data)).toBeLessThan(
      golden.get("tight")!.data[0]!,
    );
  });
});

const names = ["kjv-BF16", "kjv-Q8_0", "kjv-Q4_0", "kjv-legacy-mix", "w256-Q4_K_M", "w256-Q5_K_M"].filter(
  (name) => realFile(`lm/gguf/${name}.gguf`),
);

describe.skipIf(names.length === 0).each(names)("real files: %s", (name) => {
  const open = () => kept(openGguf(realFile(`lm/gguf/${name}.gguf`)!));
  const golden = names.length === 0 ? new Map<string, Tensor>() : readNpz(realFile(`lm/gguf/${name}.npz`)!);
  const figures =
    names.length === 0 ? {} : JSON.parse(new TextDecoder().decode(realFile("lm/gguf/figures.json")));

  test("logits of dequantized weights", async () => {
    const ids = golden.get("ids")!.data;
    const built = buildLanguageGraph(await open());
    const graph = bindCache(await wholeGraph(built), { maxTokens: ids.length, chunk: ids.length });
    const fed = { ids: tensor("i32", [1, ids.length], ids) };
    const values = evaluate(graph, fed, statesOf(graph), { position: 0, rows: ids.length });
    const want = golden.get("logits")!.data;
    const most = Math.max(...want.map(Math.abs));
    expect(farthest(values.get("logits")!.data, want)).toBeLessThan(1e-4 * most);
  });

  test("rows are those of the whole", async () => {
    const source = await open();
    for (const [tensorName, { shape }] of source.tensors) {
      const rows = await source.readRows!(tensorName, 1, 3);
      // Rows of heads that turn by pairs lie in another order.
      expect(rows === undefined, tensorName).toBe(shape.length !== 2 || /[qk]_proj/.test(tensorName));
      const { data } = await source.read(tensorName);
      if (rows) expect(rows.data).toEqual(data.slice(shape[1], 3 * shape[1]!));
    }
  });

  test("codes are the weights", async () => {
    const source = await open();
    for (const [tensorName, { shape, dtype }] of source.tensors) {
      const codes = await source.readCodes!(tensorName);
      expect(codes === undefined, tensorName).toBe(["F32", "F16", "BF16"].includes(dtype));
      if (!codes) continue;
      const { data } = await source.read(tensorName);
      const [rows, cols] = shape as [number, number];
      expect([codes.shape, codes.codes.length]).toEqual([shape, rows * cols]);
      let most = 0;
      for (const value of data) most = Math.max(most, Math.abs(value));
      const own = Array.from(codes.codes, (code, i) => {
        const g = Math.floor(i / codes.size);
        return codes.scales[g]! * code - (codes.offsets?.[g] ?? 0);
      });
      let worst = 0;
      for (let i = 0; i < own.length; i++) worst = Math.max(worst, Math.abs(own[i]! - data[i]!));
      expect(worst).toBeLessThan(1e-6 * most);
    }
  });

  test("its texts", async () => {
    const { text } = await open();
    const own = await createTokenizer(text);
    expect([own.specialId("bos"), own.specialId("eos")]).toEqual([0, 0]);
    expect(text.generationConfig).toEqual({ bos_token_id: 0, eos_token_id: 0 });
    if (name.startsWith("kjv")) {
      expect([...own.encode(figures.tokenizer.text)]).toEqual(figures.tokenizer.ids);
      expect(own.decode(figures.tokenizer.ids)).toBe(figures.tokenizer.text);
    } else
      expect(figures[name]["llama.cpp"].tokens).toEqual([
        ...own.encode(own.decode(figures[name]["llama.cpp"].tokens)),
      ]);
  });
});

describe("what is refused, by name", () => {
  const embedding = { name: "token_embd.weight", shape: [4, 8], type: 0, bytes: new Uint8Array(128) };
  const keys: Record<string, Value> = {
    "general.architecture": ["text", "llama"],
    "llama.context_length": ["u32", 16],
    "llama.embedding_length": ["u32", 8],
    "llama.block_count": ["u32", 1],
    "llama.attention.head_count": ["u32", 2],
    "llama.attention.layer_norm_rms_epsilon": ["f32", 1e-6],
  };
  const file = (more: Record<string, Value> = {}, tensors: GgufFile["tensors"] = []) =>
    writeGguf({ keys: { ...keys, ...more }, tensors: [embedding, ...tensors] });
  const refused = (bytes: Uint8Array) =>
    openGguf(bytes).then(
      () => expect.fail("it was opened"),
      ({ code, message }) => ({ code, message }),
    );

  test("the least that opens", async () => {
    const source = await openGguf(file());
    expect(source.config).toMatchObject({
      model_type: "llama",
      hidden_size: 8,
      vocab_size: 4,
      tie_word_embeddings: true,
    });
    expect([source.text, [...source.tensors.keys()]]).toEqual([{}, ["model.embed_tokens.weight"]]);
    await expect(source.read("lm_head.weight")).rejects.toThrow(/no tensor "lm_head.weight"/);
  });

  test.each<[string, Uint8Array, string, RegExp]>([
    ["an architecture", file({ "general.architecture": ["text", "mamba"] }), "unsupported", /mamba/],
    ["no architecture", file({ "general.architecture": ["u32", 1] }), "format", /general.architecture/],
    ["a key", file({ "llama.expert_count": ["u32", 8] }), "unsupported", /llama.expert_count/],
    ["a key of another type", file({ "llama.block_count": ["text", "1"] }), "format", /llama.block_count/],
    [
      "a missing key",
      writeGguf({ keys: { "general.architecture": ["text", "llama"] }, tensors: [embedding] }),
      "format",
      /embedding_length/,
    ],
    [
      "a tensor",
      file({}, [{ ...embedding, name: "blk.0.ffn_gate_exps.weight" }]),
      "unsupported",
      /ffn_gate_exps/,
    ],
    [
      "a tensor of no layer's",
      file({}, [{ ...embedding, name: "blk.__proto__.attn_q.weight" }]),
      "unsupported",
      /__proto__/,
    ],
    [
      "q of another shape",
      file({}, [{ ...embedding, name: "blk.0.attn_q.weight" }]),
      "format",
      /2 heads of 4 rows/,
    ],
    ["no embedding", writeGguf({ keys, tensors: [] }), "format", /token_embd/],
    ["parts", file({ "split.count": ["u16", 2] }), "unsupported", /parts/],
    [
      "a scaling",
      file({ "llama.rope.scaling.type": ["text", "other"], "llama.rope.scaling.factor": ["f32", 2] }),
      "unsupported",
      /other/,
    ],
  ])("%s", async (_, bytes, code, message) => {
    expect(await refused(bytes)).toEqual({ code, message: expect.stringMatching(message) });
  });
});
