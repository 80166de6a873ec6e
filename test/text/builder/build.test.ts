// What the builder refuses, by name, and how constants are made of tensors.

import { describe, expect, test } from "vitest";
import { OctetteError } from "../../../src/errors";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { madeConfig, madeShapes, madeSource } from "./made-source";

const build = (changes: object, shapes = madeShapes()) =>
  buildLanguageGraph(madeSource({ ...madeConfig, ...changes }, shapes));

test("no weights are read until a constant is asked for, and one at a time", async () => {
  const source = madeSource();
  const { graph, read } = buildLanguageGraph(source);
  expect(source.reads).toEqual([]);
  expect([...graph.constants.keys()].filter((name) => !graph.constants.get(name)!.data).length).toBe(20);
  await read("model.layers.1.mlp.up_proj.weight");
  expect(source.reads).toEqual(["model.layers.1.mlp.up_proj.weight"]);
  await expect(read("x")).rejects.toThrow('made: there is no constant "x"');
});

describe("refused by name", () => {
  test.for([
    [{ model_type: "mamba" }, /config.json: a model_type that octette does not know: expected .*, got mamba/],
    [{ hidden_act: "xielu" }, /an activation that octette does not have: expected .*, got xielu/],
    [{ strange: 2 }, "made: config.json: strange is a setting that octette does not know: got 2"],
    [
      { quantization_config: { bits: 4 } },
      "config.json: quantization_config has a value that octette does not know",
    ],
    [
      { is_encoder_decoder: true },
      "is_encoder_decoder has a value that octette does not know: expected false",
    ],
    [{ num_hidden_layers: 1.5 }, "num_hidden_layers has a value that octette does not know"],
    [{ num_hidden_layers: 1e9 }, "num_hidden_layers has a value that octette does not know"],
    [{ num_attention_heads: 3 }, "num_attention_heads has a value that octette does not know"],
    [{ num_key_value_heads: 3 }, "num_key_value_heads has a value that octette does not know"],
    [{ vocab_size: undefined }, "config.json has no vocab_size"],
    [{ rms_norm_eps: "1e-6" }, "rms_norm_eps has a value that octette does not know: expected a number"],
    [
      { rms_norm_eps: 0 },
      "rms_norm_eps has a value that octette does not know: expected a number above 0, got 0",
    ],
    [
      { rope_scaling: { type: "linear", factor: 0 } },
      "rope_parameters.factor has a value that octette does not know",
    ],
    [{ tie_word_embeddings: 1 }, "tie_word_embeddings has a value that octette does not know"],
    [{ layer_types: ["full_attention", "linear_attention"] }, 'got "linear_attention"'],
    [
      { layer_types: ["full_attention"] },
      "layer_types has a value that octette does not know: expected a list of 2",
    ],
    [
      { rope_scaling: { rope_type: "spiral" } },
      /rope_type default, linear, dynamic, llama3, yarn, longrope, got "spiral"/,
    ],
    [{ rope_scaling: { type: "linear" } }, "rope_parameters.factor has a value that octette does not know"],
    [
      { rope_scaling: { type: "linear", factor: 2, turns: 3 } },
      "rope_parameters.turns has a value that octette does not know",
    ],
    [{ rope_parameters: [1] }, "rope_parameters has a value that octette does not know: expected an object"],
    [
      { attention_bias: true },
      'config.json and tensors disagree about "model.layers.0.self_attn.q_proj.bias"',
    ],
    [{ tie_word_embeddings: false }, 'the tensor "lm_head.weight" is missing'],
    [{ num_hidden_layers: 1 }, "9 tensors belong to nothing that octette computes: got model.layers.1."],
    [{ num_hidden_layers: 3 }, 'the tensor "model.layers.2.'],
    [{ intermediate_size: 12, hidden_size: 16 }, 'the tensor "model.embed_tokens.weight" has another shape'],
    [
      { head_dim: 8 },
      'the tensor "model.layers.0.self_attn.q_proj.weight" has another shape: expected [16,8], got [8,8]',
    ],
  ] as const)("%o", ([changes, message]) => {
    expect(() => build(changes)).toThrow(message);
    expect(() => build(changes)).toThrow(OctetteError);
  });

  test("a tensor that belongs to nothing", () => {
    const shapes = madeShapes().set("model.layers.0.mlp.experts.0.weight", [4, 4]);
    expect(() => build({}, shapes)).toThrow(
      "made: 1 tensors belong to nothing that octette computes: got model.layers.0.mlp.experts.0.weight",
    );
  });

  test("a tensor that is missing, with the names it may have", () => {
    const shapes = madeShapes();
    shapes.delete("model.layers.1.self_attn.k_proj.weight");
    expect(() => build({}, shapes)).toThrow('the tensor "model.layers.1.self_attn.k_proj.weight" is missing');
  });

  test("a bias that settings deny", () => {
    const shapes = madeShapes().set("model.layers.0.self_attn.q_proj.bias", [8]);
    expect(() => build({ attention_bias: false }, shapes)).toThrow("expected no bias, got one");
  });

  test("an option that is none", () => {
    expect(() => buildLanguageGraph(madeSource(), { lenght: 3 } as never)).toThrow("Did you mean length?");
  });
});

test("null settings are left out, and those that change nothing are passed over", () => {
  const { graph } = build({
    rope_scaling: null,
    strange: null,
    use_cache: true,
    torch_dtype: "float32",
    _name_or_path: "x",
  });
  expect(graph.outputs).toEqual(["logits"]);
});

test("a rotary scaling that reaches further than the settings' positions is told", () => {
  const reach = (rope_scaling: object, length = 0) =>
    buildLanguageGraph(madeSource({ ...madeConfig, rope_scaling }), { length }).text.facts!.maxPositions;
  expect(reach({ type: "linear", factor: 4 })).toBe(64);
  expect(reach({ type: "dynamic", factor: 4 }, 100)).toBe(100);
  expect(reach({ type: "dynamic", factor: 4 }, 300)).toBe(256);
  expect(reach({ type: "yarn", factor: 4, original_max_position_embeddings: 32 })).toBe(128);
  expect(reach({ type: "yarn", factor: 4, original_max_position_embeddings: 8 })).toBe(64);
});

test("masks and tables of old files are left out", () => {
  const shapes = madeShapes()
    .set("model.layers.0.self_attn.rotary_emb.inv_freq", [2])
    .set("model.layers.0.attention.bias", [1, 1, 4, 4])
    .set("model.layers.0.attention.masked_bias", []);
  expect(() => build({}, shapes)).not.toThrow();
  expect(() => build({}, madeShapes().set("model.layers.0.attention.bias", [8]))).toThrow(
    "belong to nothing",
  );
});

test("another name for a family that computes the same", () => {
  const source = madeSource({ ...madeConfig, model_type: "my-llama" });
  expect(buildLanguageGraph(source, { family: "llama" }).graph.provenance).toEqual({ family: "llama" });
});

describe("constants", () => {
  test("parts of a fused tensor are its rows", async () => {
    const shapes = madeShapes();
    for (const i of [0, 1]) {
      for (const part of ["q", "k", "v"]) shapes.delete(`model.layers.${i}.self_attn.${part}_proj.weight`);
      for (const part of ["gate", "up"]) shapes.delete(`model.layers.${i}.mlp.${part}_proj.weight`);
      shapes.set(`model.layers.${i}.self_attn.qkv_proj.weight`, [16, 8]);
      shapes.set(`model.layers.${i}.mlp.gate_up_proj.weight`, [24, 8]);
    }
    const { graph, read } = buildLanguageGraph(madeSource({ ...madeConfig, model_type: "phi3" }, shapes));
    const k = await read("model.layers.0.self_attn.qkv_proj.k.weight");
    expect([k.shape, k.data[0], k.data.at(-1)]).toEqual([[4, 8], 64, 95]);
    const up = await read("model.layers.0.mlp.gate_up_proj.up.weight");
    expect([up.shape, up.data[0]]).toEqual([[12, 8], 96]);
    expect(graph.constants.get("model.layers.0.self_attn.qkv_proj.k.weight")).toEqual({
      dtype: "f32",
      shape: [4, 8],
    });
  });

  test("scales of Gemma's norms are 1 more", async () => {
    const shapes = madeShapes();
    const { read } = buildLanguageGraph(
      madeSource({ ...madeConfig, model_type: "gemma", head_dim: 4, hidden_act: "gelu" }, shapes),
    );
    expect([...(await read("model.norm.weight")).data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("rows of a constant are those of the whole, whether its source has rows or not", async () => {
    const source = madeSource(
      { ...madeConfig, model_type: "gemma", head_dim: 4, hidden_act: "gelu" },
      madeShapes(),
    );
    const asked: string[] = [];
    const readRows = async (name: string, begin: number, end: number) => {
      asked.push(name);
      const { dtype, shape, data } = await source.read(name);
      const k = shape[1]!;
      return { dtype, shape: [end - begin, k], data: data.slice(begin * k, end * k) };
    };
    for (const one of [source, { ...source, readRows }]) {
      const built = buildLanguageGraph(one);
      for (const name of ["model.embed_tokens.weight", "model.norm.weight"]) {
        const { data, shape } = await built.read(name);
        const width = data.length / shape[0]!;
        const rows = await built.readRows(name, 2, 5);
        expect(rows.shape).toEqual([3, ...shape.slice(1)]);
        expect(rows.data).toEqual(data.slice(2 * width, 5 * width));
      }
    }
    // A norm that is shifted is not what its file has.
    expect(asked).toEqual(["model.embed_tokens.weight"]);
  });

  test("codes of a source are passed on, with rows of parts", async () => {
    const codes = Int8Array.from({ length: 16 * 8 }, (_, i) => i % 16);
    const scales = Float32Array.from({ length: 32 }, (_, i) => i);
    const shapes = madeShapes();
    for (const i of [0, 1]) {
      for (const part of ["q", "k", "v"]) shapes.delete(`model.layers.${i}.self_attn.${part}_proj.weight`);
      shapes.set(`model.layers.${i}.self_attn.qkv_proj.weight`, [16, 8]);
    }
    const source = {
      ...madeSource({ ...madeConfig, model_type: "phi3" }, shapes),
      readCodes: async (name: string) =>
        name.includes("qkv") ? ({ shape: [16, 8], bits: 4, size: 4, codes, scales } as const) : undefined,
    };
    const { readCodes } = buildLanguageGraph(source);
    const v = await readCodes("model.layers.0.self_attn.qkv_proj.v.weight");
    expect(v).toMatchObject({ shape: [4, 8], bits: 4, size: 4 });
    expect([v!.codes[0], v!.codes.length, [...v!.scales]]).toEqual([0, 32, [24, 25, 26, 27, 28, 29, 30, 31]]);
    expect(await readCodes("model.embed_tokens.weight")).toBeUndefined();
    expect(await readCodes("sliding_attention.frequencies")).toBeUndefined();
  });
});
