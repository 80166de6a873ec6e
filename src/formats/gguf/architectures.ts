// Architectures of GGUF files in the words of Hugging Face: settings of config.json from their keys, and names of tensors. What
// llama.cpp knows of an architecture and no key says, is said here.

import { OctetteError } from "../../errors";
import type { GgufKeys } from "./keys";

export type GgufSettings = Record<string, unknown>;

/** What keys say of every decoder. */
export interface Common {
  readonly name: string;
  readonly keys: GgufKeys;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Elements of a head. */
  readonly headDim: number;
}

export interface Architecture {
  /** `model_type` of config.json. */
  readonly family: string;
  /** GgufSettings beside those that all have. */
  readonly settings?: (common: Common) => GgufSettings;
  /** Prefix of tensors, and of a layer. Default "model." and "layers". */
  readonly prefix?: string;
  readonly layerPrefix?: string;
  /** Names beside the layers and in them that differ from Llama's. */
  readonly names?: Readonly<Record<string, string>>;
  /** Whether rows of q and k lie as pairs that rotate, next to each other. */
  readonly permutesHeads?: true;
  /** Whether the file's norms are 1 + what Hugging Face's are. */
  readonly shiftsNorms?: true;
  /** Layers whose weights Hugging Face keeps as [inputs, outputs]. */
  readonly transposed?: readonly string[];
  /** Whether heads may turn in part. */
  readonly isPartial?: true;
  /** Norms are LayerNorm's. */
  readonly hasLayerNorm?: true;
}

/** Names of Llama's parts, which most share. */
export const llamaNames: Readonly<Record<string, string>> = {
  token_embd: "embed_tokens",
  output_norm: "norm",
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** Norms before and behind attention and feed-forward. */
const sandwichNames = {
  ffn_norm: "pre_feedforward_layernorm",
  post_attention_norm: "post_attention_layernorm",
  post_ffw_norm: "post_feedforward_layernorm",
};

/** Gemma's largest models scale scores by the width of a head that they would have without a size of its own. */
const scalarOf = ({ layers, hidden, heads, headDim }: Common, largest: number): number =>
  layers === largest ? hidden / heads : headDim;

const gemma2 = (common: Common): GgufSettings => ({
  hidden_activation: "gelu_pytorch_tanh",
  query_pre_attn_scalar: scalarOf(common, 46),
  sliding_window: common.keys.count(`${common.name}.attention.sliding_window`) ?? 4096,
  attn_logit_softcapping: common.keys.number(`${common.name}.attn_logit_softcapping`) ?? 50,
  final_logit_softcapping: common.keys.number(`${common.name}.final_logit_softcapping`) ?? 30,
});

function gemma3(common: Common): GgufSettings {
  const { name, keys, layers } = common;
  const pattern = keys.value(`${name}.attention.sliding_window_pattern`) ?? 6;
  const types = ArrayBuffer.isView(pattern)
    ? { layer_types: Array.from(pattern, (isLocal) => (isLocal ? "sliding_attention" : "full_attention")) }
    : { sliding_window_pattern: pattern };
  if (ArrayBuffer.isView(pattern) && pattern.length !== layers)
    throw keys.wrong(`${name}.attention.sliding_window_pattern`, `a list of ${layers}`, pattern);
  return {
    hidden_activation: "gelu_pytorch_tanh",
    query_pre_attn_scalar: scalarOf(common, 62),
    sliding_window: keys.needCount(`${name}.attention.sliding_window`),
    rope_local_base_freq: keys.number(`${name}.rope.freq_base_swa`) ?? 10000,
    final_logit_softcapping: keys.number(`${name}.final_logit_softcapping`) ?? null,
    ...types,
  };
}

/** Which layers attend, by their key and value heads: 0 stands for a short convolution. */
function lfm2({ name, keys, layers }: Common): GgufSettings {
  const kvHeads = Array.from(keys.numbers(`${name}.attention.head_count_kv`, layers) ?? []);
  const widths = new Set(kvHeads.filter((count) => count > 0));
  if (kvHeads.length === 0 || widths.size !== 1)
    throw keys.wrong(`${name}.attention.head_count_kv`, "one number of heads, and 0", kvHeads);
  return {
    layer_types: kvHeads.map((count) => (count > 0 ? "full_attention" : "conv")),
    num_key_value_heads: [...widths][0],
    conv_L_cache: keys.needCount(`${name}.shortconv.l_cache`),
  };
}

const granite = ({ name, keys, headDim }: Common): GgufSettings => ({
  attention_multiplier: keys.number(`${name}.attention.scale`) ?? 1 / Math.sqrt(headDim),
  embedding_multiplier: keys.number(`${name}.embedding_scale`) ?? 1,
  residual_multiplier: keys.number(`${name}.residual_scale`) ?? 1,
  logits_scaling: keys.number(`${name}.logit_scale`) ?? 1,
});

/** By `general.architecture`. */
const architectures: Readonly<Record<string, Architecture>> = {
  llama: { family: "llama", permutesHeads: true },
  smollm3: { family: "smollm3", permutesHeads: true },
  granite: { family: "granite", permutesHeads: true, settings: granite },
  qwen2: { family: "qwen2" },
  qwen3: { family: "qwen3" },
  olmo2: { family: "olmo2", names: sandwichNames },
  gemma: {
    family: "gemma",
    shiftsNorms: true,
    settings: () => ({ hidden_activation: "gelu_pytorch_tanh" }),
  },
  gemma2: { family: "gemma2", shiftsNorms: true, settings: gemma2, names: sandwichNames },
  gemma3: { family: "gemma3_text", shiftsNorms: true, settings: gemma3, names: sandwichNames },
  phi3: {
    family: "phi3",
    isPartial: true,
    names: { attn_qkv: "self_attn.qkv_proj", ffn_up: "mlp.gate_up_proj" },
    settings: ({ name, keys }) => ({
      sliding_window: keys.count(`${name}.attention.sliding_window`) ?? null,
    }),
  },
  gpt2: {
    family: "gpt2",
    hasLayerNorm: true,
    prefix: "transformer.",
    layerPrefix: "h",
    names: {
      token_embd: "wte",
      position_embd: "wpe",
      output_norm: "ln_f",
      attn_norm: "ln_1",
      attn_qkv: "attn.c_attn",
      attn_output: "attn.c_proj",
      ffn_norm: "ln_2",
      ffn_up: "mlp.c_fc",
      ffn_down: "mlp.c_proj",
    },
    transposed: ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"],
  },
  lfm2: {
    family: "lfm2",
    settings: lfm2,
    names: {
      token_embd_norm: "embedding_norm",
      output_norm: "embedding_norm",
      attn_norm: "operator_norm",
      attn_output: "self_attn.out_proj",
      attn_q_norm: "self_attn.q_layernorm",
      attn_k_norm: "self_attn.k_layernorm",
      ffn_norm: "ffn_norm",
      ffn_gate: "feed_forward.w1",
      ffn_down: "feed_forward.w2",
      ffn_up: "feed_forward.w3",
      "shortconv.conv": "conv.conv",
      "shortconv.in_proj": "conv.in_proj",
      "shortconv.out_proj": "conv.out_proj",
    },
  },
};

/** The architecture that a file names. Throws OctetteError "unsupported" where octette does not have it. */
export function architectureOf(name: string | undefined, where: string): Architecture {
  if (name !== undefined && Object.hasOwn(architectures, name)) return architectures[name]!;
  throw new OctetteError("an architecture that octette does not read from GGUF", {
    code: "unsupported",
    where,
    expected: Object.keys(architectures).join(", "),
    got: name ?? "none",
    hint: "Take the model's folder of Hugging Face instead",
  });
}
