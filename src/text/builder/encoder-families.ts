// Encoders by the name of their family: what neither settings nor tensors say.

import type { DisentangledFamily } from "./disentangled";
import { modernBertRotary } from "./family-likes";
import type { RotaryFamily } from "./rotary";

/** How a family's encoder computes, where its files do not say so. Left out: as BERT. Heads rotate where there is a `theta`. */
export interface EncoderFamily extends RotaryFamily {
  readonly norm?: "rms";
  /** Norms precede attention and feed-forward (pre-norm) instead of following the residual sums. */
  readonly preNorm?: true;
  readonly epsilon?: number;
  readonly activation?: string;
  /** Row of the first token in the table of positions. */
  readonly firstPosition?: number;
  /** The first token's position is the padding id plus one. */
  readonly positionsAfterPadding?: true;
  /** That positions rotate must be said by position_embedding_type; a table that a file carries along is not used. */
  readonly isRotaryNamed?: true;
  /** Files may hold frequencies of rotary embeddings, in the half precision that the model was trained with. */
  readonly keepsFrequencies?: true;
  /** Pairs that rotate are neighbours. */
  readonly interleaved?: true;
  /** Of the layers that see everything, every how manieth, where a file does not list them. */
  readonly fullEvery?: number;
  /** Function between the layers of a head of classes. */
  readonly headActivation?: string;
  /** Scores have products with embeddings of distances, which alone say where tokens stand. */
  readonly disentangled?: DisentangledFamily;
  /** Scores have numbers added by the distance of two tokens, which settings put into buckets; "fixed": always the same ones. */
  readonly relativeBias?: true | "fixed";
  /** One layer holds q, k and v head by head. */
  readonly isFusedByHead?: true;
  /** Scores are products as they are. */
  readonly isUnscaled?: true;
  /** Names of the table of tokens, which others of its files repeat. */
  readonly tables?: readonly string[];
  /** Layers and norms may be without biases, as settings say. */
  readonly isBiasOptional?: true;
  /** A head that predicts tokens has weights of its own, unless a file says otherwise. */
  readonly isUntied?: true;
  /** A head that predicts tokens is one layer. */
  readonly isHeadPlain?: true;
  /** Embeddings are not normalized. */
  readonly noEmbeddingNorm?: true;
  /** Its activation is this one, whatever settings may say. */
  readonly onlyActivation?: string;
  /** No setting says its epsilon. */
  readonly hasOwnEpsilon?: true;
  /** A setting may say that values rotate as queries and keys do. */
  readonly mayRotateValues?: true;
  /** The first layer's attention reads embeddings that are normalized already. */
  readonly isFirstNormed?: true;
  /** A setting says that long texts are seen in blocks: then only shorter ones are read. */
  readonly hasBlocks?: true;
  /** All layers are one. */
  readonly isShared?: true;
}

const robertaLike = { positionsAfterPadding: true, headActivation: "tanh" } as const satisfies EncoderFamily;

const t5Like = {
  norm: "rms",
  preNorm: true,
  epsilon: 1e-6,
  activation: "relu",
  isBiasOptional: true,
  noEmbeddingNorm: true,
  relativeBias: true,
  isUnscaled: true,
  tables: ["shared"],
} as const satisfies EncoderFamily;

/** Encoders by `model_type`. */
export const encoderFamilies: Readonly<Record<string, EncoderFamily>> = {
  albert: { activation: "gelu_new", isShared: true },
  bert: {},
  "bert-generation": {},
  big_bird: { activation: "gelu_new", hasBlocks: true },
  camembert: robertaLike,
  "data2vec-text": robertaLike,
  deberta: { epsilon: 1e-7, disentangled: { isLinear: true }, isFusedByHead: true },
  "deberta-v2": { epsilon: 1e-7, disentangled: {} },
  distilbert: { headActivation: "relu", hasOwnEpsilon: true },
  dpr: {},
  electra: { headActivation: "gelu" },
  ernie: {},
  esm: {
    positionsAfterPadding: true,
    headActivation: "tanh",
    preNorm: true,
    noEmbeddingNorm: true,
    isRotaryNamed: true,
    theta: 10000,
    keepsFrequencies: true,
    onlyActivation: "gelu",
  },
  eurobert: {
    isBiasOptional: true,
    headActivation: "gelu",
    isHeadPlain: true,
    isUntied: true,
    noEmbeddingNorm: true,
    norm: "rms",
    preNorm: true,
    epsilon: 1e-5,
    activation: "silu",
    theta: 10000,
  },
  gte: { theta: 160000 },
  jina_embeddings_v3: { theta: 20000, epsilon: 1e-5 },
  luke: robertaLike,
  modernbert: {
    isBiasOptional: true,
    isFirstNormed: true,
    preNorm: true,
    epsilon: 1e-5,
    ...modernBertRotary,
    fullEvery: 3,
  },
  "megatron-bert": { preNorm: true, noEmbeddingNorm: true },
  mpnet: { relativeBias: "fixed", firstPosition: 2, headActivation: "tanh" },
  nomic_bert: { isBiasOptional: true, activation: "silu", theta: 1000 },
  rembert: { isUntied: true },
  roberta: robertaLike,
  "roberta-prelayernorm": { ...robertaLike, preNorm: true },
  roformer: { interleaved: true, theta: 10000, mayRotateValues: true },
  mt5: { ...t5Like, activation: "gelu_new" },
  splinter: {},
  t5: t5Like,
  "xlm-roberta": robertaLike,
  "xlm-roberta-xl": { ...robertaLike, preNorm: true, noEmbeddingNorm: true, epsilon: 1e-5 },
};
