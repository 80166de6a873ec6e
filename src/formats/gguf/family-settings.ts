// Settings of config.json that only some architectures of GGUF files have, from their keys and from what llama.cpp knows of them.

import { type Tensor, tensor } from "../../graph/tensor";
import type { GgufKeys } from "./keys";

export type GgufSettings = Record<string, unknown>;

/** What keys say of every model. */
export interface Common {
  readonly name: string;
  readonly keys: GgufKeys;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Elements of a head. */
  readonly headDim: number;
  /** Whether the file has a tensor of such a name. */
  has(tensor: string): boolean;
}

/** Gemma's largest models scale scores by the width of a head that they would have without a size of its own. */
const scalarOf = ({ layers, hidden, heads, headDim }: Common, largest: number): number =>
  layers === largest ? hidden / heads : headDim;

/** The window of its layers, and which layers have it where the file says so; undefined: none has. */
export function slidingWindows({ name, keys, layers }: Common): GgufSettings | undefined {
  const key = `${name}.attention.sliding_window_pattern`;
  const pattern = keys.value(key);
  const window = keys.number(`${name}.attention.sliding_window`);
  if (window === undefined || window === 0) return undefined;
  if (!ArrayBuffer.isView(pattern))
    return { sliding_window: window, ...(pattern !== undefined && { sliding_window_pattern: pattern }) };
  if (pattern.length !== layers) throw keys.wrong(key, `a list of ${layers}`, pattern);
  const types = Array.from(pattern, (isLocal) => (isLocal ? "sliding_attention" : "full_attention"));
  return { sliding_window: window, layer_types: types };
}

/** How layers with windows rotate, never scaled: by a base of their own. */
const windowRotary = ({ name, keys }: Common, otherwise: number): GgufSettings => ({
  rope_parameters: {
    sliding_attention: {
      rope_type: "default",
      rope_theta: keys.number(`${name}.rope.freq_base_swa`) ?? otherwise,
    },
  },
});

export const gemma2 = (common: Common): GgufSettings => ({
  hidden_activation: "gelu_pytorch_tanh",
  query_pre_attn_scalar: scalarOf(common, 46),
  sliding_window: common.keys.count(`${common.name}.attention.sliding_window`) ?? 4096,
  attn_logit_softcapping: common.keys.number(`${common.name}.attn_logit_softcapping`) ?? 50,
  final_logit_softcapping: common.keys.number(`${common.name}.final_logit_softcapping`) ?? 30,
});

export function gemma3(common: Common): GgufSettings {
  const { name, keys } = common;
  keys.needCount(`${name}.attention.sliding_window`);
  return {
    hidden_activation: "gelu_pytorch_tanh",
    query_pre_attn_scalar: scalarOf(common, 62),
    ...windowRotary(common, 10000),
    final_logit_softcapping: keys.number(`${name}.final_logit_softcapping`) ?? null,
    ...slidingWindows(common),
  };
}

/** Which layers attend, by their key and value heads: 0 stands for a short convolution. */
export function lfm2({ name, keys, layers }: Common): GgufSettings {
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

export const granite = ({ name, keys, headDim }: Common): GgufSettings => ({
  attention_multiplier: keys.number(`${name}.attention.scale`) ?? 1 / Math.sqrt(headDim),
  embedding_multiplier: keys.number(`${name}.embedding_scale`) ?? 1,
  residual_multiplier: keys.number(`${name}.residual_scale`) ?? 1,
  logits_scaling: keys.number(`${name}.logit_scale`) ?? 1,
});

export const clipOf = ({ name, keys }: Common): GgufSettings => ({
  clip_qkv: keys.number(`${name}.attention.clamp_kqv`) ?? null,
});

/** Cohere's factor of logits. */
export const logitScaleOf = ({ name, keys }: Common): GgufSettings => ({
  logit_scale: keys.needNumber(`${name}.logit_scale`),
});

/** Layers with windows rotate by the base of all, without their scaling. */
export function olmo2(common: Common): GgufSettings {
  const { name, keys } = common;
  const windows = slidingWindows(common);
  if (!windows) return {};
  const base = keys.number(`${name}.rope.freq_base`) ?? 10000;
  return { model_type: "olmo3", ...windowRotary(common, base), ...windows };
}

/** Several key heads have groups of queries, and then one norm or two. */
export function falcon({ name, keys }: Common): GgufSettings {
  const kvHeads = keys.needCount(`${name}.attention.head_count_kv`);
  const isGrouped = kvHeads > 1;
  return {
    alibi: false,
    parallel_attn: true,
    multi_query: !isGrouped,
    new_decoder_architecture: isGrouped,
    ...(isGrouped && { num_kv_heads: kvHeads }),
  };
}

/** A key says it, too, of older files wrongly: llama.cpp goes by the norm. */
export function stablelm({ name, keys, has }: Common): GgufSettings {
  keys.flag(`${name}.use_parallel_residual`);
  return { use_parallel_residual: !has("blk.0.ffn_norm.weight") };
}

export function mpt(common: Common): GgufSettings {
  const { name, keys } = common;
  const key = `${name}.attention.max_alibi_bias`;
  const most = keys.needNumber(key);
  if (most !== 8) throw keys.wrong(key, "8", most);
  return { alibi: true, ...clipOf(common) };
}

/** Queries of Ministral grow with their position; other models of this name do not. */
export const mistral3 = ({ name, keys }: Common): GgufSettings => ({
  model_type: keys.number(`${name}.attention.temperature_scale`) === undefined ? "mistral" : "ministral3",
  sliding_window: null,
});

/** Numbers of Apertus' activation, one a layer. */
export function apertus({ keys, layers }: Common): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  for (const [part, shape] of Object.entries({ alpha_p: [1], alpha_n: [1], beta: [], eps: [] })) {
    const values = keys.numbers(`xielu.${part}`, layers);
    if (values === undefined) throw keys.missing(`xielu.${part}`);
    for (let i = 0; i < layers; i++)
      tensors.set(`model.layers.${i}.mlp.act_fn.${part}`, tensor("f32", shape, [values[i]!]));
  }
  return tensors;
}

export function modernBert(common: Common): GgufSettings {
  const { sliding_window: window, sliding_window_pattern: every, ...types } = slidingWindows(common) ?? {};
  return {
    local_attention: window ?? common.keys.needCount(`${common.name}.attention.sliding_window`),
    ...(every !== undefined && { global_attn_every_n_layers: every }),
    ...windowRotary(common, 10000),
    ...types,
  };
}
