// Language models with random weights, the same on every machine, written tensor by tensor: as folders of Hugging Face, whose weights are
// bf16 and whose tokenizer has a token for each byte, or as GGUF files of 4 bits.

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Tokens of the tokenizer: the end of a text, then every byte. Heads of more rows are padded, as many models' are. */
const TOKENS = 257;

const llama = {
  config: { model_type: "llama", hidden_act: "silu", rope_theta: 1e4, rms_norm_eps: 1e-5 },
  attentionNorms: ["input_layernorm"],
  feedForwardNorms: ["post_attention_layernorm"],
  norm: 1,
};
const qwen3 = {
  config: { model_type: "qwen3", hidden_act: "silu", rope_theta: 1e6, rms_norm_eps: 1e-6 },
  attentionNorms: ["input_layernorm"],
  headNorms: ["self_attn.q_norm", "self_attn.k_norm"],
  feedForwardNorms: ["post_attention_layernorm"],
  norm: 1,
};
const gemma = {
  config: {
    model_type: "gemma2",
    hidden_activation: "gelu_pytorch_tanh",
    rope_theta: 1e4,
    rms_norm_eps: 1e-6,
    query_pre_attn_scalar: 16,
    attn_logit_softcapping: 20,
    final_logit_softcapping: 10,
    sliding_window: 16,
  },
  attentionNorms: ["input_layernorm", "post_attention_layernorm"],
  feedForwardNorms: ["pre_feedforward_layernorm", "post_feedforward_layernorm"],
  // Its norms multiply by 1 + w.
  norm: 0,
};

/** A shape: a family, and sizes under the names of config.json. */
export const languageShapes = {
  "tiny-llama": {
    family: llama,
    ...{ hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, vocab_size: 272 },
    ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, tie_word_embeddings: false },
  },
  "tiny-gemma": {
    family: gemma,
    ...{ hidden_size: 64, intermediate_size: 96, num_hidden_layers: 2, vocab_size: 272 },
    ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16, tie_word_embeddings: true },
  },
  "98m": {
    family: llama,
    ...{ hidden_size: 768, intermediate_size: 2048, num_hidden_layers: 12, vocab_size: 8192 },
    ...{ num_attention_heads: 12, num_key_value_heads: 12, head_dim: 64, tie_word_embeddings: false },
  },
  "qwen3-0.6b": {
    family: qwen3,
    ...{ hidden_size: 1024, intermediate_size: 3072, num_hidden_layers: 28, vocab_size: 151936 },
    ...{ num_attention_heads: 16, num_key_value_heads: 8, head_dim: 128, tie_word_embeddings: true },
  },
};

/** Names and shapes of the tensors, in the order of the file. */
function* tensorsOf({ family, ...sizes }) {
  const { hidden_size: hidden, intermediate_size: inner, vocab_size: vocabulary, head_dim: head } = sizes;
  const [heads, kvHeads] = [sizes.num_attention_heads * head, sizes.num_key_value_heads * head];
  yield ["model.embed_tokens.weight", [vocabulary, hidden]];
  for (let i = 0; i < sizes.num_hidden_layers; i++) {
    const layer = `model.layers.${i}.`;
    const parts = [
      ...family.attentionNorms.map((norm) => [norm, [hidden]]),
      ["self_attn.q_proj", [heads, hidden]],
      ["self_attn.k_proj", [kvHeads, hidden]],
      ["self_attn.v_proj", [kvHeads, hidden]],
      ["self_attn.o_proj", [hidden, heads]],
      ...(family.headNorms ?? []).map((norm) => [norm, [head]]),
      ...family.feedForwardNorms.map((norm) => [norm, [hidden]]),
      ["mlp.gate_proj", [inner, hidden]],
      ["mlp.up_proj", [inner, hidden]],
      ["mlp.down_proj", [hidden, inner]],
    ];
    for (const [part, shape] of parts) yield [`${layer}${part}.weight`, shape];
  }
  yield ["model.norm.weight", [hidden]];
  if (!sizes.tie_word_embeddings) yield ["lm_head.weight", [vocabulary, hidden]];
}

const sizeOf = (shape) => shape.reduce((n, dim) => n * dim, 1);

/** Bytes of a tensor in bf16. Rows of a matrix have a length near 2, whatever their width. */
function bf16Of(index, shape, norm) {
  const [center, most] = shape.length === 1 ? [norm, 0.1] : [0, Math.sqrt(12 / shape[1])];
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  return Uint16Array.from({ length: sizeOf(shape) }, (_, i) => {
    let hash = Math.imul(i ^ (index << 26), 0x9e3779b1) ^ Math.imul(index, 0x85ebca77);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
    float[0] = center + most * ((hash ^ (hash >>> 15)) / 2 ** 31);
    return bits[0] >>> 16;
  });
}

/** model.safetensors, piece by piece. */
function* safetensors(shape) {
  const header = { __metadata__: { format: "pt" } };
  let at = 0;
  for (const [name, own] of tensorsOf(shape)) {
    const end = at + 2 * sizeOf(own);
    header[name] = { dtype: "BF16", shape: own, data_offsets: [at, end] };
    at = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new DataView(new ArrayBuffer(8));
  length.setUint32(0, text.length, true);
  yield new Uint8Array(length.buffer);
  yield text;
  let index = 0;
  for (const [, own] of tensorsOf(shape))
    yield new Uint8Array(bf16Of(index++, own, shape.family.norm).buffer);
}

/** A tokenizer whose tokens are bytes, which byte-level BPE writes as characters of their own. */
function tokenizer() {
  const isShown = (byte) =>
    (byte > 32 && byte < 127) || (byte > 160 && byte < 173) || (byte > 173 && byte < 256);
  let hidden = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isShown(byte) ? byte : hidden++),
  );
  const level = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
  return {
    added_tokens: [{ id: 0, content: "<|end|>", special: true }],
    pre_tokenizer: level,
    decoder: level,
    model: {
      type: "BPE",
      vocab: Object.fromEntries(["<|end|>", ...bytes].map((token, id) => [token, id])),
      merges: [],
    },
  };
}

/** The files beside the weights, by name. */
function settingsOf({ family, ...sizes }) {
  const ends = { bos_token_id: 0, eos_token_id: 0 };
  const files = {
    "config.json": { ...family.config, ...sizes, ...ends, max_position_embeddings: 8192 },
    "generation_config.json": ends,
    "tokenizer.json": tokenizer(),
    "tokenizer_config.json": { bos_token: "<|end|>", eos_token: "<|end|>" },
  };
  const bytesOf = (value) => new TextEncoder().encode(JSON.stringify(value));
  return Object.fromEntries(Object.entries(files).map(([name, value]) => [name, bytesOf(value)]));
}

/** Names of GGUF, by the names of Hugging Face. */
const ggufNames = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  lm_head: "output",
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
};

function ggufName(name) {
  const [, layer, part] = /^(?:model\.layers\.(\d+)\.)?(.+)\.weight$/.exec(name);
  return `${layer === undefined ? "" : `blk.${layer}.`}${ggufNames[part]}.weight`;
}

/** Numbers of the file's types: vectors, and blocks of 32 codes of 4 bits in 18 bytes. */
const [F32, Q4_0] = [0, 2];
const [UINT32, FLOAT32, TEXT] = [4, 6, 8];
const isVector = (shape) => shape.length === 1;
const ggufBytes = (shape) => (isVector(shape) ? 4 * sizeOf(shape) : (sizeOf(shape) / 32) * 18);
const aligned = (bytes) => Math.ceil(bytes / 32) * 32;

/** Elements of a tensor as GGUF has them: random codes under one scale, a power of two, by which rows have a length near 2. */
function ggufElements(index, shape, norm) {
  if (isVector(shape)) return new Uint8Array(Float32Array.from({ length: shape[0] }, () => norm).buffer);
  const bytes = new Uint8Array(aligned(ggufBytes(shape)));
  const words = new Uint32Array(bytes.buffer);
  for (let i = 0; i < words.length; i++) {
    const mixed = Math.imul(i ^ (index << 24), 0x9e3779b1);
    words[i] = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  }
  const exponent = 15 - Math.round(Math.log2(2.3 * Math.sqrt(shape[1])));
  for (let at = 0; at < bytes.length; at += 18) bytes.set([0, exponent << 2], at);
  return bytes;
}

/** Writes a GGUF file of Q4_0, without a tokenizer. */
export function writeLanguageGguf(path, shape) {
  const { family, ...sizes } = shape;
  const { model_type: architecture, rope_theta: theta, rms_norm_eps: epsilon } = family.config;
  const head = [];
  const number = (bytes, put) => {
    const view = new DataView(new ArrayBuffer(bytes));
    put(view);
    head.push(new Uint8Array(view.buffer));
  };
  const u32 = (value) => number(4, (view) => view.setUint32(0, value, true));
  const u64 = (value) => number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  const text = (value) => {
    const bytes = new TextEncoder().encode(value);
    u64(bytes.length);
    head.push(bytes);
  };
  const settings = {
    context_length: 8192,
    embedding_length: sizes.hidden_size,
    block_count: sizes.num_hidden_layers,
    feed_forward_length: sizes.intermediate_size,
    "attention.head_count": sizes.num_attention_heads,
    "attention.head_count_kv": sizes.num_key_value_heads,
    "attention.key_length": sizes.head_dim,
    "attention.value_length": sizes.head_dim,
    vocab_size: sizes.vocab_size,
  };
  const floats = { "attention.layer_norm_rms_epsilon": epsilon, "rope.freq_base": theta };
  const tensors = [...tensorsOf(shape)];
  head.push(new TextEncoder().encode("GGUF"));
  u32(3);
  u64(tensors.length);
  u64(1 + Object.keys(settings).length + Object.keys(floats).length);
  text("general.architecture");
  u32(TEXT);
  text(architecture);
  for (const [key, value] of Object.entries(settings)) {
    text(`${architecture}.${key}`);
    u32(UINT32);
    u32(value);
  }
  for (const [key, value] of Object.entries(floats)) {
    text(`${architecture}.${key}`);
    u32(FLOAT32);
    number(4, (view) => view.setFloat32(0, value, true));
  }
  let at = 0;
  for (const [name, own] of tensors) {
    text(ggufName(name));
    u32(own.length);
    for (const dim of [...own].reverse()) u64(dim);
    u32(isVector(own) ? F32 : Q4_0);
    u64(at);
    at += aligned(ggufBytes(own));
  }
  const file = openSync(path, "w");
  const bytes = Buffer.concat(head);
  writeSync(file, bytes);
  writeSync(file, new Uint8Array(aligned(bytes.length) - bytes.length));
  for (const [index, [, own]] of tensors.entries()) {
    const elements = ggufElements(index, own, family.norm);
    writeSync(file, elements);
    writeSync(file, new Uint8Array(aligned(elements.length) - elements.length));
  }
  closeSync(file);
}

/** Tokens of the tokenizer, which are fewer than the tiny models' logits. */
export const languageTokens = TOKENS;

/** Writes a folder. */
export function writeLanguageFolder(path, shape) {
  mkdirSync(path, { recursive: true });
  for (const [name, bytes] of Object.entries(settingsOf(shape))) writeFileSync(join(path, name), bytes);
  const file = openSync(join(path, "model.safetensors"), "w");
  for (const piece of safetensors(shape)) writeSync(file, piece);
  closeSync(file);
}
