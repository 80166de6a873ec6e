// A small decoder with seeded weights, as a source in memory.

import type { Tensor } from "../../../src/graph/tensor";
import type { LanguageSource } from "../../../src/text/source";
import { random } from "../../kernels/harness";

const [HIDDEN, INNER, LAYERS, VOCABULARY] = [64, 96, 2, 50];

export interface Made extends LanguageSource {
  /** How often each tensor was read. */
  readonly reads: Map<string, number>;
}

export interface MadeOptions {
  /** Channels that a norm makes so many times as large, which its layers take back. */
  readonly outliers?: number;
  readonly tied?: boolean;
}

/** A Llama of two layers. */
export function madeModel({ outliers = 1, tied = true }: MadeOptions = {}): Made {
  const tensors = new Map<string, Tensor>();
  const next = random(1);
  const bell = () => next() + next() + next() + next() - 2;
  const add = (name: string, shape: readonly number[], of: (i: number) => number) => {
    const length = shape.reduce((a, b) => a * b, 1);
    tensors.set(name, { dtype: "f32", shape, data: Float32Array.from({ length }, (_, i) => of(i)) });
  };
  const isOutlier = (c: number) => c === 5 || c === 40;
  const matrix = (name: string, n: number, k: number, isNormed: boolean) =>
    add(name, [n, k], (i) => ((bell() / Math.sqrt(k)) * 2) / (isNormed && isOutlier(i % k) ? outliers : 1));
  const norm = (name: string, isFolded: boolean) =>
    add(name, [HIDDEN], (c) => (1 + 0.1 * bell()) * (isFolded && isOutlier(c) ? outliers : 1));
  add("model.embed_tokens.weight", [VOCABULARY, HIDDEN], bell);
  for (let l = 0; l < LAYERS; l++) {
    const layer = `model.layers.${l}.`;
    norm(`${layer}input_layernorm.weight`, true);
    for (const part of ["q", "k", "v"]) matrix(`${layer}self_attn.${part}_proj.weight`, HIDDEN, HIDDEN, true);
    matrix(`${layer}self_attn.o_proj.weight`, HIDDEN, HIDDEN, false);
    norm(`${layer}post_attention_layernorm.weight`, true);
    for (const part of ["gate", "up"]) matrix(`${layer}mlp.${part}_proj.weight`, INNER, HIDDEN, true);
    matrix(`${layer}mlp.down_proj.weight`, HIDDEN, INNER, false);
  }
  norm("model.norm.weight", !tied);
  if (!tied) matrix("lm_head.weight", VOCABULARY, HIDDEN, true);
  const reads = new Map<string, number>();
  return {
    where: "made",
    config: {
      model_type: "llama",
      hidden_size: HIDDEN,
      intermediate_size: INNER,
      num_hidden_layers: LAYERS,
      num_attention_heads: 2,
      num_key_value_heads: 2,
      vocab_size: VOCABULARY,
      max_position_embeddings: 512,
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      hidden_act: "silu",
      tie_word_embeddings: tied,
    },
    tensors: new Map([...tensors].map(([name, { shape }]) => [name, { dtype: "F32", shape }])),
    read: async (name) => {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return tensors.get(name)!;
    },
    text: { generationConfig: { bos_token_id: 0 } },
    close: async () => {},
    reads,
  };
}

/** Ids of a text that means nothing. */
export function madeIds(count: number, seed = 3): Int32Array {
  const next = random(seed);
  return Int32Array.from({ length: count }, () => Math.floor(next() * VOCABULARY));
}
