import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openFolder } from "../../../src/formats/hugging-face/open";
import { writeSafetensors } from "../../../src/formats/write-safetensors";
import { tensor } from "../../../src/graph/tensor";
import { tinyNames, tinyPath } from "../../text/tiny";

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const weights = (names: readonly string[]) =>
  writeSafetensors(new Map(names.map((name, i) => [name, tensor("f32", [2], [i, i + 0.5])])));

const whole = {
  "config.json": json({ model_type: "llama" }),
  "model.safetensors": weights(["a", "b"]),
};
const sharded = {
  "config.json": json({ model_type: "llama" }),
  "model.safetensors.index.json": json({ weight_map: { a: "x.safetensors", b: "sub/y.safetensors" } }),
  "x.safetensors": weights(["a"]),
  "sub/y.safetensors": weights(["b"]),
};

test.for([
  ["one file", whole],
  ["shards", sharded],
  ["a Map", new Map(Object.entries(whole))],
  ["Files", Object.entries(whole).map(([name, bytes]) => new File([bytes], name))],
] as const)("%s: tensors by name", async ([, files]) => {
  const source = await openFolder(files);
  expect([...source.tensors.keys()].sort()).toEqual(["a", "b"]);
  expect(source.tensors.get("b")).toMatchObject({ dtype: "F32", shape: [2] });
  expect((await source.read("a")).data[1]).toBe(0.5);
  expect((await source.readRows!("b", 1, 2))!.data).toEqual((await source.read("b")).data.slice(1));
  for (const read of [source.read("c"), source.readRows!("c", 0, 1)])
    await expect(read).rejects.toThrow('folder: there is no tensor "c"');
  await source.close();
});

test("Files of a chosen folder go by their paths below it", async () => {
  const files = Object.entries(sharded).map(([name, bytes]) =>
    Object.defineProperty(new File([bytes], name.split("/").at(-1)!), "webkitRelativePath", {
      value: `model/${name}`,
    }),
  );
  const source = await openFolder(files);
  expect([source.where, source.tensors.size]).toEqual(["model", 2]);
});

test("text assets are parsed, each where it is there", async () => {
  const source = await openFolder({
    ...whole,
    "tokenizer.json": json({ version: "1.0" }),
    "tokenizer_config.json": json({ eos_token: "</s>" }),
    "generation_config.json": json({ eos_token_id: [2, 3] }),
    "chat_template.jinja": new TextEncoder().encode("{{ messages }}"),
  });
  expect(source.text).toEqual({
    tokenizer: { version: "1.0" },
    tokenizerConfig: { eos_token: "</s>" },
    generationConfig: { eos_token_id: [2, 3] },
    chatTemplate: "{{ messages }}",
  });
  expect((await openFolder(whole)).text).toEqual({});
});

describe("sentence-transformers", () => {
  const folder = (types: readonly string[], pooling: object) => ({
    ...whole,
    "modules.json": json(
      types.map((type, i) => ({
        type: `sentence_transformers.models.${type}`,
        path: i ? `${i}_${type}` : "",
      })),
    ),
    "1_Pooling/config.json": json(pooling),
    "sentence_bert_config.json": json({ max_seq_length: 32 }),
  });
  const mean = { pooling_mode_mean_tokens: true, pooling_mode_cls_token: false };
  test("pooling, normalization, most tokens", async () => {
    const { embedding } = await openFolder(folder(["Transformer", "Pooling", "Normalize"], mean));
    expect(embedding).toEqual({ pooling: "mean", isNormalized: true, maxTokens: 32 });
    const other = await openFolder(folder(["Transformer", "Pooling"], { pooling_mode: "cls" }));
    expect(other.embedding).toMatchObject({ pooling: "cls", isNormalized: false });
    const last = await openFolder(folder(["Transformer", "Pooling"], { pooling_mode_lasttoken: true }));
    expect(last.embedding!.pooling).toBe("last");
  });
  const dense = (config: object) => ({
    ...folder(["Transformer", "Pooling", "Dense", "Normalize"], mean),
    "2_Dense/config.json": json(config),
    "2_Dense/model.safetensors": writeSafetensors(
      new Map([["linear.weight", tensor("f32", [2, 3], [1, 2, 3, 4, 5, 6])]]),
    ),
  });
  test("dense layers, whose tensors are read from their folders", async () => {
    const source = await openFolder(
      dense({ bias: false, activation_function: "torch.nn.modules.linear.Identity" }),
    );
    expect(source.embedding!.layers).toEqual([{ name: "2_Dense/linear", hasBias: false }]);
    expect(source.tensors.get("2_Dense/linear.weight")!.shape).toEqual([2, 3]);
    expect([...(await source.read("2_Dense/linear.weight")).data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect([...(await source.readRows!("2_Dense/linear.weight", 1, 2))!.data]).toEqual([4, 5, 6]);
    await source.close();
    const { embedding } = await openFolder(dense({}));
    expect(embedding!.layers).toEqual([{ name: "2_Dense/linear", hasBias: true, activation: "tanh" }]);
  });
  test("dense layers that compute something else, or have no tensors, are refused", async () => {
    await expect(
      openFolder(dense({ activation_function: "torch.nn.modules.activation.Mish" })),
    ).rejects.toThrow(
      "folder/2_Dense/config.json: an activation_function that octette does not have: expected GELU",
    );
    await expect(openFolder(dense({ module_input_name: "token_embeddings" }))).rejects.toThrow(
      'a module_input_name that octette does not have: expected sentence_embedding, got "token_embeddings"',
    );
    const { "2_Dense/model.safetensors": _, ...rest } = dense({});
    await expect(openFolder(rest)).rejects.toThrow("folder/2_Dense/: has no model.safetensors");
  });
  test("texts that the tokenizer does not make lower case are refused where the folder asks for it", async () => {
    const lowering = (normalizer: unknown) => ({
      ...folder(["Transformer", "Pooling"], mean),
      "sentence_bert_config.json": json({ do_lower_case: true }),
      "tokenizer.json": json({ normalizer }),
    });
    await expect(openFolder(lowering(null))).rejects.toThrow(
      "folder/sentence_bert_config.json, do_lower_case: texts are made lower case, which the tokenizer does not do",
    );
    for (const normalizer of [{ type: "BertNormalizer", lowercase: true }, { type: "Lowercase" }])
      expect((await openFolder(lowering(normalizer))).embedding!.pooling).toBe("mean");
  });
  test("a token behind texts that the tokenizer does not add is refused where the folder asks for it", async () => {
    const ending = (post_processor: unknown) => ({
      ...folder(["Transformer", "Pooling"], mean),
      "tokenizer_config.json": json({ add_eos_token: true }),
      "tokenizer.json": json({ post_processor }),
    });
    const text = { Sequence: { id: "A" } };
    const token = { SpecialToken: { id: "</s>" } };
    for (const processor of [null, { type: "TemplateProcessing", single: [token, text] }])
      await expect(openFolder(ending(processor))).rejects.toThrow(
        "folder/tokenizer_config.json, add_eos_token: texts end with a token that the tokenizer does not add",
      );
    const template = { type: "TemplateProcessing", single: [text, token] };
    for (const processor of [template, { type: "Sequence", processors: [{ type: "ByteLevel" }, template] }])
      expect((await openFolder(ending(processor))).embedding!.pooling).toBe("mean");
  });
  test("a prompt that stands before each text is refused", async () => {
    const prompted = (prompt: string) => ({
      ...folder(["Transformer", "Pooling"], mean),
      "config_sentence_transformers.json": json({
        prompts: { query: "query: ", document: "" },
        default_prompt_name: prompt,
      }),
    });
    await expect(openFolder(prompted("query"))).rejects.toThrow(
      'default_prompt_name: a prompt that octette does not put before texts: got "query"',
    );
    expect((await openFolder(prompted("document"))).embedding!.pooling).toBe("mean");
  });
  test("what octette does not have is refused by name", async () => {
    await expect(openFolder(folder(["Transformer", "Pooling", "LayerNorm"], mean))).rejects.toThrow(
      "folder/modules.json: a module that octette does not have: expected Transformer, Pooling and perhaps Dense and Normalize, got Transformer, Pooling, LayerNorm",
    );
    await expect(
      openFolder(folder(["Transformer", "Pooling"], { ...mean, pooling_mode_max_tokens: true })),
    ).rejects.toThrow(
      "folder/1_Pooling/config.json: a pooling that octette does not have: expected cls, mean or lasttoken, got mean and max",
    );
  });
});

test.for([
  ["no config", { "config.json": undefined }, "folder: has no config.json"],
  ["a config that is a list", { "config.json": json([]) }, "folder/config.json: is not an object"],
  ["a config that is no JSON", { "config.json": json("{}").subarray(1) }, "folder/config.json: is not JSON"],
  ["a config that is no text", { "config.json": Uint8Array.of(0xff) }, "folder/config.json: is not UTF-8"],
  [
    "no tensors",
    { "model.safetensors": undefined },
    "folder: has no model.safetensors and no model.safetensors.index.json",
  ],
  ["a file that is cut", { "model.safetensors": whole["model.safetensors"].subarray(0, -1) }, "truncated"],
  ["a file without a header", { "model.safetensors": new Uint8Array(3) }, "truncated"],
  [
    "a header that promises more",
    { "model.safetensors": Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, 0) },
    "truncated",
  ],
] as const)("%s is an error", async ([, files, message]) => {
  const all = Object.entries({ ...whole, ...files }).flatMap(([name, bytes]) =>
    bytes ? [[name, bytes] as const] : [],
  );
  await expect(openFolder(new Map(all))).rejects.toThrow(message);
});

test.for([
  ["../x.safetensors", "a file's name leads out of the folder"],
  ["/etc/passwd", "a file's name leads out of the folder"],
  ["a\\..\\x", "a file's name leads out of the folder"],
  ["sub/../../x", "a file's name leads out of the folder"],
  ["C:x", "a file's name leads out of the folder"],
  ["", "a file's name leads out of the folder"],
  ["none.safetensors", '"none.safetensors" is missing'],
  [7, "weight_map is not a map of tensors to files"],
] as const)("an index that names %s is refused", async ([name, message]) => {
  const files = { ...sharded, "model.safetensors.index.json": json({ weight_map: { a: name } }) };
  await expect(openFolder(files)).rejects.toThrow(message);
});

test("an index that is wrong about its files is refused", async () => {
  const index = (map: object) => ({ ...sharded, "model.safetensors.index.json": json({ weight_map: map }) });
  await expect(openFolder(index({ a: "x.safetensors", c: "x.safetensors" }))).rejects.toThrow(
    'folder/model.safetensors.index.json: "x.safetensors" has no tensor "c"',
  );
  await expect(openFolder({ ...sharded, "sub/y.safetensors": weights(["a", "b"]) })).rejects.toThrow(
    'folder/sub/y.safetensors: tensor "a" is in two files',
  );
});

test("a tensor of integers is refused when it is read", async () => {
  const file = writeSafetensors(new Map([["mask", tensor("i32", [1], [1])]]));
  const source = await openFolder({ ...whole, "model.safetensors": file });
  await expect(source.read("mask")).rejects.toThrow(
    'folder/model.safetensors, tensor "mask": weights must be floats: expected F32, F16, BF16 or F64, got I32',
  );
});

describe.skipIf(tinyNames.length === 0)("real folders", () => {
  test.for(tinyNames)("%s: every float tensor is read", async (name) => {
    const source = await openFolder(tinyPath(name));
    for (const [tensorName, { dtype, shape }] of source.tensors)
      if (dtype !== "BOOL") expect((await source.read(tensorName)).shape).toEqual(shape);
    expect(source.config).toEqual(JSON.parse(readFileSync(join(tinyPath(name), "config.json"), "utf8")));
    await source.close();
  });
});
