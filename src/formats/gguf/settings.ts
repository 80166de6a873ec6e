// GgufSettings of config.json from a GGUF file's keys: sizes, norms and rotary embedding, which all architectures name alike.

import { OctetteError } from "../../errors";
import { MAX_PARTS } from "../language-limits";
import type { EmbeddingSettings } from "../language-source";
import type { Architecture } from "./architectures";
import type { Common, GgufSettings } from "./family-settings";
import type { GgufKeys } from "./keys";

/** Factors of the rotary frequencies that some files keep as tensors. */
export interface RotaryFactors {
  /** rope_freqs: of all lengths. */
  readonly all?: readonly number[];
  /** rope_factors_short, rope_factors_long: below and above the length that the model was first trained on. */
  readonly short?: readonly number[];
  readonly long?: readonly number[];
}

/** What tensors say: rows of the embedding, which there are, factors of frequencies. */
export interface TensorFacts {
  readonly vocabulary: number;
  readonly factors: RotaryFactors;
  has(tensor: string): boolean;
}

/** What keys say of every model. Throws FormatError that names a key that is missing or wrong. */
export function commonOf(name: string, keys: GgufKeys, { has }: TensorFacts): Common {
  const key = (end: string) => `${name}.${end}`;
  const hidden = keys.needCount(key("embedding_length"));
  const layers = keys.needCount(key("block_count"));
  const heads = keys.needCount(key("attention.head_count"));
  for (const [end, count] of Object.entries({ block_count: layers, "attention.head_count": heads }))
    if (count > MAX_PARTS) throw keys.wrong(key(end), `at most ${MAX_PARTS}`, count);
  const headDim = keys.count(key("attention.key_length")) ?? hidden / heads;
  const valueDim = keys.count(key("attention.value_length")) ?? headDim;
  if (valueDim !== headDim) throw unsupported(keys, key("attention.value_length"), String(headDim), valueDim);
  if (!Number.isInteger(headDim))
    throw keys.wrong(key("attention.head_count"), `a divisor of ${hidden}`, heads);
  return { name, keys, hidden, layers, heads, headDim, has };
}

/** config.json as Hugging Face would have it. Throws FormatError that names a key that is missing or wrong. */
export function settingsOf(architecture: Architecture, common: Common, facts: TensorFacts): GgufSettings {
  const { name, keys, hidden, layers, heads, headDim } = common;
  const { family, hasLayerNorm, hasNoRotary, isEncoder = false } = architecture;
  const key = (end: string) => `${name}.${end}`;
  const own = architecture.settings?.(common) ?? {};
  const context = keys.needCount(key("context_length"));
  // Which may be 1 of models without types.
  const types = isEncoder ? (keys.count("tokenizer.ggml.token_type_count") ?? 1) : 1;
  const isCausal = keys.flag(key("attention.causal")) ?? !isEncoder;
  if (isCausal === isEncoder) throw unsupported(keys, key("attention.causal"), String(!isEncoder), isCausal);
  // Some files have both.
  if (hasLayerNorm) keys.value(key("attention.layer_norm_rms_epsilon"));
  const epsilon = hasLayerNorm ? "layer_norm_epsilon" : "layer_norm_rms_epsilon";
  return {
    model_type: family,
    vocab_size: facts.vocabulary,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    head_dim: headDim,
    max_position_embeddings: context,
    tie_word_embeddings: !facts.has("output.weight"),
    [hasLayerNorm ? "layer_norm_epsilon" : "rms_norm_eps"]: keys.needNumber(key(`attention.${epsilon}`)),
    ...(own.num_key_value_heads === undefined && {
      num_key_value_heads: keys.count(key("attention.head_count_kv")) ?? heads,
    }),
    ...(types > 1 && { type_vocab_size: types }),
    ...own,
    ...(hasNoRotary ? {} : rotary(architecture, common, context, facts.factors, own)),
  };
}

/** llama.cpp's kinds of pooling, by their numbers; "": none. */
const POOLINGS = ["", "mean", "cls"] as const;

/** How hidden states become an embedding: of length 1, as llama.cpp's tools give them; undefined: not at all. */
export function embeddingOf(
  { isEncoder }: Architecture,
  { name, keys }: Common,
): EmbeddingSettings | undefined {
  const key = `${name}.pooling_type`;
  const type = isEncoder ? keys.number(key) : undefined;
  if (type === undefined) return undefined;
  const pooling = POOLINGS[type];
  if (pooling === undefined) throw unsupported(keys, key, "0, 1 (mean) or 2 (first token)", type);
  return pooling === "" ? undefined : { pooling, isNormalized: true };
}

function rotary(
  { isPartial }: Architecture,
  { name, keys, headDim }: Common,
  context: number,
  factors: RotaryFactors,
  { rope_parameters: others }: GgufSettings,
): GgufSettings {
  const key = (end: string) => `${name}.rope.${end}`;
  const dim = keys.count(key("dimension_count")) ?? headDim;
  if (dim !== headDim && !isPartial) throw unsupported(keys, key("dimension_count"), String(headDim), dim);
  const own = {
    ...(scaling(name, keys, context, factors) ?? { rope_type: "default" }),
    rope_theta: keys.number(key("freq_base")) ?? 10000,
    // Half an element more, so that rounding down gives the number of them.
    ...(isPartial && { partial_rotary_factor: Math.min(1, (dim + 0.5) / headDim) }),
  };
  return { rope_parameters: others ? { ...others, full_attention: own } : own };
}

function scaling(
  name: string,
  keys: GgufKeys,
  context: number,
  { all, short, long }: RotaryFactors,
): GgufSettings | undefined {
  const key = (end: string) => `${name}.rope.${end}`;
  const type = keys.text(key("scaling.type")) ?? "none";
  const factor = keys.number(key("scaling.factor")) ?? keys.number(key("scale_linear"));
  const original = keys.count(key("scaling.original_context_length")) ?? context;
  const attention = keys.number(key("scaling.attn_factor"));
  if (short && long)
    return {
      rope_type: "longrope",
      short_factor: short,
      long_factor: long,
      original_max_position_embeddings: original,
      ...(attention === undefined ? {} : { attention_factor: attention }),
    };
  if (attention !== undefined && attention !== 1)
    throw unsupported(keys, key("scaling.attn_factor"), "1", attention);
  // Llama 3's frequencies, which the file has worked out: of any length the same.
  if (all)
    return { rope_type: "longrope", short_factor: all, long_factor: all, factor: 1, attention_factor: 1 };
  if (type === "none" && (factor === undefined || factor === 1)) return undefined;
  if (factor === undefined || factor <= 0)
    throw keys.wrong(key("scaling.factor"), "a number above 0", factor);
  if (type === "linear" || type === "none") return factor === 1 ? undefined : { rope_type: "linear", factor };
  if (type !== "yarn") throw unsupported(keys, key("scaling.type"), "none, linear, yarn or longrope", type);
  const optional = {
    beta_fast: "rope.scaling.yarn_beta_fast",
    beta_slow: "rope.scaling.yarn_beta_slow",
    mscale_all_dim: "rope.scaling.yarn_log_multiplier",
    llama_4_scaling_beta: "attention.temperature_scale",
  };
  return {
    rope_type: "yarn",
    factor,
    // Counts beside mscale_all_dim.
    mscale: 1,
    original_max_position_embeddings: original,
    ...Object.fromEntries(
      Object.entries(optional).flatMap(([setting, end]) => {
        const value = keys.number(`${name}.${end}`);
        return value === undefined ? [] : [[setting, value]];
      }),
    ),
  };
}

const unsupported = (keys: GgufKeys, key: string, expected: string, got: unknown): OctetteError =>
  new OctetteError(`${key} has a value that octette does not have`, {
    code: "unsupported",
    where: keys.where,
    expected,
    got: String(got),
  });
