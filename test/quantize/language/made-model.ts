// A small decoder with seeded weights, as a source in memory.

import type { BlockCodes, LanguageSource } from "../../../src/formats/language-source";
import type { Tensor } from "../../../src/graph/tensor";
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
  /** Weights of layers come as codes of 4 bits in groups of 32, as GGUF files have them. */
  readonly codes?: "plain" | "with offsets";
}

/** A Llama of two layers. */
export function madeModel({ outliers = 1, tied = true, codes }: MadeOptions = {}): Made {
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
  const blocks = new Map<string, BlockCodes>();
  if (codes)
    for (const [name, { shape, data }] of tensors) {
      if (!name.includes("_proj")) continue;
      const [n, k] = shape as [number, number];
      const own = blocksOf([n, k], data as Float32Array, codes === "with offsets");
      blocks.set(name, own);
      data.forEach((_, i) => {
        const g = Math.floor(i / own.size);
        data[i] = own.scales[g]! * own.codes[i]! - (own.offsets?.[g] ?? 0);
      });
    }
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
    async readRows(name, begin, end) {
      const { shape, data } = tensors.get(name)!;
      const k = shape[1]!;
      return { dtype: "f32", shape: [end - begin, k], data: data.slice(begin * k, end * k) };
    },
    readCodes: async (name) => blocks.get(name),
    text: { generationConfig: { bos_token_id: 0 } },
    close: async () => {},
    reads,
  };
}

/** Codes in groups of 32, of which every scale is negative, as Q4_0 has some. */
function blocksOf(shape: readonly [number, number], w: Float32Array, hasOffsets: boolean): BlockCodes {
  const size = 32;
  const groups = Array.from({ length: w.length / size }, (_, g) => w.subarray(g * size, (g + 1) * size));
  const most = groups.map((group) => group.reduce((a, b) => Math.max(a, Math.abs(b)), 0));
  const scales = Float32Array.from(most, (x) => x / -8);
  const codes = Int8Array.from(w, (x, i) =>
    Math.max(-8, Math.min(7, Math.round(x / scales[Math.floor(i / size)]!))),
  );
  const offsets = { offsets: Float32Array.from(most, (x, g) => (g % 3) * 0.01 * x) };
  return { shape, bits: 4, size, codes, scales, ...(hasOffsets ? offsets : {}) };
}

/** Ids of a text that means nothing. */
export function madeIds(count: number, seed = 3): Int32Array {
  const next = random(seed);
  return Int32Array.from({ length: count }, () => Math.floor(next() * VOCABULARY));
}
