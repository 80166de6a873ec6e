// Folders and GGUF files of a small Llama, changed anywhere, and all that is done with one: opened, built, read, run, its texts
// turned into tokens.

import { FormatError, OctetteError } from "../../src/errors";
import { openGguf } from "../../src/formats/gguf/open";
import { openFolder } from "../../src/formats/hugging-face/open";
import type { LanguageSource } from "../../src/formats/language-source";
import { writeSafetensors } from "../../src/formats/write-safetensors";
import type { Graph } from "../../src/graph/graph";
import type { Random } from "../../src/graph/random";
import { sizeOf, type Tensor } from "../../src/graph/tensor";
import { buildLanguageGraph } from "../../src/text/builder/build";
import { bindCache } from "../../src/text/builder/cache";
import { createTokenizer } from "../../src/text/tokenizer";
import { type Value, type WrittenTensor, writeGguf } from "../formats/gguf/write-gguf";
import { damaged, mutateJson } from "./sealed";

/** Most elements of a model whose weights are read. */
const MAX_ELEMENTS = 1 << 22;
const TOKENS = ["<s>", "a", "b", "c", "▁", "ab", "▁a", "<0x0A>", "Ċ", "Ġ", "Ġa", "d", "e", "f", "g", "h"];
const TYPES = [3, 1, 1, 1, 1, 1, 1, 6, 1, 1, 1, 1, 4, 1, 1, 2];
const HIDDEN = 32;

const shapes: Readonly<Record<string, readonly number[]>> = {
  token_embd: [TOKENS.length, HIDDEN],
  "blk.0.attn_norm": [HIDDEN],
  "blk.0.attn_q": [HIDDEN, HIDDEN],
  "blk.0.attn_k": [16, HIDDEN],
  "blk.0.attn_v": [16, HIDDEN],
  "blk.0.attn_output": [HIDDEN, HIDDEN],
  "blk.0.ffn_norm": [HIDDEN],
  "blk.0.ffn_gate": [32, HIDDEN],
  "blk.0.ffn_up": [32, HIDDEN],
  "blk.0.ffn_down": [HIDDEN, 32],
  output_norm: [HIDDEN],
};
/** Types of matrices, and bytes of their blocks of 32. */
const matrixTypes = [
  [2, 18],
  [3, 20],
  [6, 22],
  [7, 24],
  [8, 34],
] as const;

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!;

const keys: Readonly<Record<string, Value>> = {
  "general.architecture": ["text", "llama"],
  "llama.context_length": ["u32", 64],
  "llama.embedding_length": ["u32", HIDDEN],
  "llama.block_count": ["u32", 1],
  "llama.feed_forward_length": ["u32", 32],
  "llama.attention.head_count": ["u32", 4],
  "llama.attention.head_count_kv": ["u32", 2],
  "llama.attention.layer_norm_rms_epsilon": ["f32", 1e-5],
  "llama.rope.freq_base": ["f32", 10000],
  "tokenizer.ggml.tokens": ["list", "text", TOKENS],
  "tokenizer.ggml.token_type": ["list", "i32", TYPES],
  "tokenizer.ggml.bos_token_id": ["u32", 0],
  "tokenizer.chat_template": ["text", "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"],
};
const vocabularies: readonly Readonly<Record<string, Value>>[] = [
  {
    "tokenizer.ggml.model": ["text", "llama"],
    "tokenizer.ggml.scores": ["list", "f32", TOKENS.map((_, i) => -i)],
  },
  {
    "tokenizer.ggml.model": ["text", "gpt2"],
    "tokenizer.ggml.pre": ["text", "llama-bpe"],
    "tokenizer.ggml.merges": ["list", "text", ["a b", "Ġ a"]],
  },
];

const extremes = [0, 1, 2, 3, 31, 33, 64, 255, 2 ** 16, 2 ** 20, 2 ** 31, 2 ** 32 - 1, 2 ** 40, 2 ** 53];

/** A GGUF file with one to three things changed. */
export function mutatedGguf(random: Random): Uint8Array {
  let entries = Object.entries({ ...keys, ...pick(random, vocabularies) });
  let tensors: WrittenTensor[] = Object.entries(shapes).map(([name, shape]) => {
    const count = sizeOf(shape);
    const [type, blockBytes] = shape.length === 1 ? [0, 128] : pick(random, matrixTypes);
    const bytes = Uint8Array.from({ length: (count / 32) * blockBytes }, () => random.below(64));
    return { name: `${name}.weight`, shape, type, bytes };
  });
  const mutateKey = ([kind, ...rest]: Value): Value => {
    const list = rest.at(-1);
    if (Array.isArray(list)) {
      const items: (number | string)[] = [...list];
      items[random.below(items.length)] =
        kind === "list" && rest[0] === "text" ? pick(random, TOKENS) : pick(random, extremes);
      return [
        "list",
        rest[0] as "i32",
        random.below(3) > 0 ? items : items.slice(0, random.below(items.length)),
      ];
    }
    if (kind === "text")
      return [
        "text",
        pick(random, ["", "llama", "gpt2", "qwen2", "gemma2", "__proto__", "{% for %}", "default"]),
      ];
    return [pick(random, ["u32", "f32", "u8", "f64"] as const), pick(random, extremes)];
  };
  const counts: { keyCount?: number; tensorCount?: number } = {};
  for (let n = random.below(3); n >= 0; n--) {
    const kind = random.below(8);
    const at = random.below(entries.length);
    const place = random.below(tensors.length);
    const tensor = tensors[place]!;
    if (kind === 0) entries = entries.filter((_, i) => i !== at);
    else if (kind <= 2)
      entries = entries.map(([key, value], i) => [key, i === at ? mutateKey(value) : value]);
    else if (kind === 3) tensors = tensors.filter((_, i) => i !== place);
    else if (kind === 4)
      tensors[place] = {
        ...tensor,
        shape: tensor.shape.map((dim) => (random.below(2) === 0 ? dim : pick(random, extremes))),
      };
    else if (kind === 5) tensors[place] = { ...tensor, offset: pick(random, extremes) };
    else if (kind === 6) tensors[place] = { ...tensor, type: random.below(40) };
    else counts[random.below(2) === 0 ? "keyCount" : "tensorCount"] = pick(random, extremes);
  }
  const file = writeGguf({ keys: Object.fromEntries(entries), tensors, ...counts });
  const damage = random.below(6);
  if (damage === 0) return file.slice(0, random.below(file.length));
  return damage === 1 ? damaged(file, random, Math.min(file.length, 2048)) : file;
}

const folderNames: Readonly<Record<string, string>> = {
  token_embd: "model.embed_tokens",
  "blk.0.attn_norm": "model.layers.0.input_layernorm",
  "blk.0.attn_q": "model.layers.0.self_attn.q_proj",
  "blk.0.attn_k": "model.layers.0.self_attn.k_proj",
  "blk.0.attn_v": "model.layers.0.self_attn.v_proj",
  "blk.0.attn_output": "model.layers.0.self_attn.o_proj",
  "blk.0.ffn_norm": "model.layers.0.post_attention_layernorm",
  "blk.0.ffn_gate": "model.layers.0.mlp.gate_proj",
  "blk.0.ffn_up": "model.layers.0.mlp.up_proj",
  "blk.0.ffn_down": "model.layers.0.mlp.down_proj",
  output_norm: "model.norm",
};

const config = {
  model_type: "llama",
  hidden_size: HIDDEN,
  num_hidden_layers: 1,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  intermediate_size: 32,
  vocab_size: TOKENS.length,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  rope_scaling: { rope_type: "yarn", factor: 2, original_max_position_embeddings: 32 },
  hidden_act: "silu",
  tie_word_embeddings: true,
};
const tokenizer = {
  added_tokens: [{ id: 0, content: "<s>", special: true }],
  normalizer: { type: "Sequence", normalizers: [{ type: "NFC" }] },
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
    special_tokens: { "<s>": { id: "<s>", ids: [0], tokens: ["<s>"] } },
  },
  decoder: { type: "Sequence", decoders: [{ type: "Metaspace", replacement: "▁" }, { type: "Fuse" }] },
  model: {
    type: "BPE",
    unk_token: null,
    byte_fallback: false,
    vocab: Object.fromEntries(TOKENS.map((token, id) => [token, id])),
    merges: [
      ["a", "b"],
      ["▁", "a"],
    ],
  },
};
const tokenizerConfig = {
  bos_token: "<s>",
  chat_template: "{{ bos_token }}{% for m in messages %}{{ m.content | trim }}{% endfor %}",
};

const jsons: Readonly<Record<string, unknown>> = {
  "config.json": config,
  "tokenizer.json": tokenizer,
  "tokenizer_config.json": tokenizerConfig,
};

/** The files of a folder. */
export function wholeFolder(random: Random): Record<string, Uint8Array> {
  const values = (shape: readonly number[]): Tensor => ({
    dtype: "f32",
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => random.uniform() - 0.5),
  });
  const tensors = new Map(
    Object.entries(shapes).map(([name, shape]) => [`${folderNames[name]}.weight`, values(shape)]),
  );
  const files: Record<string, Uint8Array> = { "model.safetensors": writeSafetensors(tensors, {}) };
  for (const [name, json] of Object.entries(jsons))
    files[name] = new TextEncoder().encode(JSON.stringify(json));
  return files;
}

/** The files of a folder, one of them changed. */
export function mutatedFolder(random: Random): Record<string, Uint8Array> {
  const files = wholeFolder(random);
  const changed = pick(random, [
    "config.json",
    "config.json",
    "tokenizer.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "model.safetensors",
  ]);
  if (changed in jsons) {
    const text = JSON.stringify(mutateJson(jsons[changed], random)) ?? "null";
    const cut = random.below(20) === 0 ? text.slice(0, random.below(text.length)) : text;
    files[changed] = new TextEncoder().encode(cut);
  } else {
    const whole = files[changed]!;
    files[changed] =
      random.below(4) === 0
        ? whole.slice(0, random.below(whole.length))
        : damaged(whole, random, Math.min(whole.length, 1024));
  }
  return files;
}

/** Whether an error is one of octette's own. */
export const isOwn = (error: unknown): boolean =>
  error instanceof OctetteError || error instanceof FormatError;

/** Everything that is done with a source: its texts first, then its weights; `run` gets graphs that are small enough. */
export async function useLanguage(
  open: () => Promise<LanguageSource>,
  run: (graph: Graph) => void,
): Promise<void> {
  const source = await open();
  try {
    let refused: unknown;
    try {
      const own = await createTokenizer(source.text);
      own.decode(own.encode(" ab\nc<s>"));
      if (own.hasChatTemplate) await own.encodeChat([{ role: "user", content: "ab<s>" }]);
    } catch (error) {
      // What is wrong with its texts does not keep a model from being built.
      if (!isOwn(error)) throw error;
      refused = error;
    }
    const built = buildLanguageGraph(source);
    let elements = 0;
    for (const { shape } of built.graph.constants.values()) elements += sizeOf(shape);
    if (elements <= MAX_ELEMENTS) {
      const constants = new Map<string, Tensor>();
      for (const name of built.graph.constants.keys()) {
        constants.set(name, await built.read(name));
        await built.readCodes(name);
      }
      run(bindCache({ ...built.graph, constants }, { maxTokens: 8, chunk: 4 }));
    }
    if (refused) throw refused;
  } finally {
    await source.close();
  }
}

export const openedGguf = (bytes: Uint8Array) => () => openGguf(bytes);
export const openedFolder = (files: Readonly<Record<string, Uint8Array>>) => () => openFolder(files);
