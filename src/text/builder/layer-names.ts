// Under which names files keep the parts of a layer. A part is found by the first of its names that is there.

import { OctetteError } from "../../errors";
import type { Weights } from "./weights";

/** Names of one part of a layer, without `.weight`. */
export const layerParts = {
  attentionNorm: [
    "input_layernorm",
    "ln_1",
    "ln_attn",
    "operator_norm",
    "self_attn_layer_norm",
    "attention_layernorm",
    "attention_norm",
    "norm_1",
    "attn_norm",
  ],
  feedForwardNorm: [
    "ln_2",
    "ln_mlp",
    "ffn_norm",
    "final_layer_norm",
    "feedforward_layernorm",
    "pre_feedforward_layernorm",
    "norm_2",
    "mlp_norm",
  ],
  q: ["self_attn.q_proj", "attn.q_proj", "attn.attention.q_proj"],
  k: ["self_attn.k_proj", "attn.k_proj", "attn.attention.k_proj"],
  v: ["self_attn.v_proj", "attn.v_proj", "attn.attention.v_proj"],
  qkv: [
    "self_attn.qkv_proj",
    "attn.c_attn",
    "attention.query_key_value",
    "self_attention.query_key_value",
    "self_attn.query_key_value",
    "attn.qkv_proj",
    "attn.Wqkv",
  ],
  attentionOut: [
    "self_attn.o_proj",
    "self_attn.out_proj",
    "self_attn.dense",
    "attn.c_proj",
    "attn.out_proj",
    "attn.attention.out_proj",
    "attention.dense",
    "self_attention.dense",
    "attn.Wo",
  ],
  qNorm: ["self_attn.q_norm", "self_attn.q_layernorm", "self_attn.query_layernorm"],
  kNorm: ["self_attn.k_norm", "self_attn.k_layernorm", "self_attn.key_layernorm"],
  attentionOutNorm: ["self_attn.attn_sub_norm"],
  gate: ["mlp.gate_proj", "feed_forward.w1"],
  up: [
    "mlp.up_proj",
    "feed_forward.w3",
    "mlp.c_fc",
    "mlp.dense_h_to_4h",
    "mlp.fc1",
    "mlp.fc_in",
    "fc1",
    "ffn.up_proj",
  ],
  gateUp: ["mlp.gate_up_proj", "shared_mlp.input_linear", "mlp.Wi"],
  down: [
    "mlp.down_proj",
    "feed_forward.w2",
    "mlp.c_proj",
    "mlp.dense_4h_to_h",
    "mlp.fc2",
    "mlp.fc_out",
    "fc2",
    "ffn.down_proj",
    "shared_mlp.output_linear",
    "mlp.Wo",
  ],
  downNorm: ["mlp.ffn_sub_norm"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Part = keyof typeof layerParts;

/** Names of the parts beside the layers, below the same prefix. */
export const beside = {
  embedding: [
    "embed_tokens",
    "wte",
    "embed_in",
    "word_embeddings",
    "tokens_embed",
    "embeddings.tok_embeddings",
  ],
  embeddingNorm: ["word_embeddings_layernorm", "embeddings.norm"],
  positions: ["wpe", "embed_positions", "positions_embed"],
  finalNorm: [
    "norm",
    "ln_f",
    "final_layer_norm",
    "final_layernorm",
    "embedding_norm",
    "layer_norm",
    "norm_f",
    "final_norm",
  ],
  head: ["lm_head", "embed_out", "output_projection", "decoder"],
  headDense: ["lm_head.dense"],
  projectIn: ["project_in"],
  projectOut: ["project_out"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The first of the names below a prefix that has weights. */
export const findPart = (weights: Weights, prefix: string, names: readonly string[]): string | undefined => {
  const found = names.find((name) => weights.has(`${prefix}${name}.weight`));
  return found === undefined ? undefined : prefix + found;
};

/** As findPart; throws OctetteError "unsupported" where none of the names is there. */
export function needPart(weights: Weights, prefix: string, names: readonly string[]): string {
  const found = findPart(weights, prefix, names);
  if (found !== undefined) return found;
  throw new OctetteError(`the tensor "${prefix}${names[0]}.weight" is missing`, {
    code: "format",
    where: weights.source.where,
    ...(names.length > 1 && { hint: `It may also be called ${names.slice(1).join(", ")}` }),
  });
}

/** What the names of a model's tensors begin with: what stands before its table of tokens. */
export function prefixOf(weights: Weights, tables: readonly string[] = beside.embedding): string {
  const ends = tables.map((name) => `${name}.weight`);
  for (const name of weights.names) {
    const end = ends.find((one) => name === one || name.endsWith(`.${one}`));
    if (end !== undefined) return name.slice(0, -end.length);
  }
  return needPart(weights, "model.", tables);
}

/** What the names of a layer's tensors begin with. */
export function layerPrefixOf(
  weights: Weights,
  prefix: string,
  kinds: readonly string[] = ["layers", "h", "blocks"],
): (layer: number) => string {
  for (const name of weights.names) {
    const kind = kinds.find((one) => name.startsWith(`${prefix}${one}.`));
    if (kind !== undefined) return (layer) => `${prefix}${kind}.${layer}.`;
  }
  return (layer) => `${prefix}${kinds[0]}.${layer}.`;
}
