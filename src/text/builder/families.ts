// Facts that neither settings nor tensors tell: by the name of a family, how its files are to be read. Everything else is chosen by
// settings and by which tensors are there. A name that is not here is refused: its files may look like others and mean something else.

/** How a family's decoder computes, where its files do not say so. Left out: as Llama. */
export interface DecoderFamily {
  /** "layer": mean and variance, with an optional bias. Default "rms". */
  readonly norm?: "rms" | "layer";
  /** Norm scales are 1 + the value in the file. */
  readonly normOffset?: true;
  /** Norms, of heads too, without scale and bias. */
  readonly plainNorm?: true;
  readonly epsilon?: number;
  /** What a file says of the epsilon is not used. */
  readonly hasOwnEpsilon?: true;
  /** Embeddings are normalized. */
  readonly hasEmbeddingNorm?: true;
  /** Attention and feed-forward read the same residual stream; "setting": as a setting of the file says. */
  readonly parallel?: true | "setting";
  /** Norms follow the residual sums (post-norm). */
  readonly postNorm?: true;
  readonly activation?: string;
  /** Its settings call the approximation by tanh gelu. */
  readonly isGeluTanh?: true;
  /** Value of tie_word_embeddings where a file leaves it out. */
  readonly tied?: true;
  readonly headDim?: number;
  /** Key and value heads; "heads": as many as query heads, whatever a file says. */
  readonly kvHeads?: number | "heads";
  /** Embeddings are multiplied by √hidden. */
  readonly embeddingScale?: true;
  /** The attention's scale: by 1 / √head size, 1, or a setting. */
  readonly attentionScale?:
    | "none"
    | "attention_multiplier"
    | "attention_multiplier, else size"
    | "query_pre_attn_scalar";
  readonly attentionCap?: number;
  readonly logitCap?: number;
  readonly logitScale?: number;
  /** Logits are multiplied by logits_scaling, by which others divide them. */
  readonly isLogitFactor?: true;
  /** How positions enter. Default "rotary". */
  readonly positions?: "learned";
  /** Row of the table of position 0. */
  readonly positionOffset?: number;
  readonly theta?: number;
  readonly localTheta?: number;
  /** Pairs that rotate are neighbours. */
  readonly interleaved?: true;
  /** Pairs rotate backwards. */
  readonly isReversed?: true;
  /** Share of a head that rotates. */
  readonly partial?: number;
  /** Layers that do not rotate: of full attention where others have windows. */
  readonly noRotary?: "full" | "full-if-windows" | "no_rope_layers";
  /** q and k are normalized in every layer; left out: as a setting says, or where there are tensors. */
  readonly headNorms?: true;
  /** Their scales: the same for each head, for all heads together, or each head's own. Default: as their shape says. */
  readonly headNormScales?: "same" | "together" | "own";
  /** q, k and v have biases. */
  readonly hasBiases?: true;
  /** The layer of logits has a bias. */
  readonly hasHeadBias?: true;
  /** q and k are normalized after they rotate. */
  readonly normAfterRotary?: true;
  /** Which layers have windows, where a file does not list them. */
  readonly windows?:
    | "all"
    | "max_window_layers"
    | "even"
    | "pattern"
    | "first-of-four-full"
    | "attention_layers"
    | "unused";
  readonly pattern?: number;
  readonly window?: number;
  /** How q, k and v lie in one tensor. Default: one after the other. */
  readonly fused?: "heads" | "falcon" | "bigcode" | "codegen";
  /** Weights are [inputs, outputs]. */
  readonly transposed?: true;
}

const gptLike = {
  norm: "layer",
  epsilon: 1e-5,
  activation: "gelu_new",
  tied: true,
  kvHeads: "heads",
} as const satisfies DecoderFamily;

const gemmaLike = {
  normOffset: true,
  epsilon: 1e-6,
  activation: "gelu_pytorch_tanh",
  tied: true,
  headDim: 256,
  embeddingScale: true,
} as const satisfies DecoderFamily;

const gemma2Like = {
  ...gemmaLike,
  attentionScale: "query_pre_attn_scalar",
  kvHeads: 4,
  windows: "even",
  window: 4096,
} as const satisfies DecoderFamily;

/** Decoders by `model_type`. */
export const decoderFamilies: Readonly<Record<string, DecoderFamily>> = {
  arcee: { epsilon: 1e-5, activation: "relu2" },
  biogpt: {
    ...gptLike,
    hasOwnEpsilon: true,
    activation: "gelu",
    positions: "learned",
    positionOffset: 2,
    embeddingScale: true,
  },
  bitnet: { epsilon: 1e-5, activation: "relu2", theta: 500000, kvHeads: 5 },
  codegen: {
    hasHeadBias: true,
    norm: "layer",
    epsilon: 1e-5,
    activation: "gelu_new",
    parallel: true,
    interleaved: true,
    fused: "codegen",
    kvHeads: "heads",
  },
  cohere: {
    headNormScales: "own",
    norm: "layer",
    epsilon: 1e-5,
    parallel: true,
    tied: true,
    interleaved: true,
    logitScale: 0.0625,
    theta: 500000,
  },
  cohere2: {
    norm: "layer",
    epsilon: 1e-5,
    parallel: true,
    tied: true,
    interleaved: true,
    logitScale: 0.0625,
    noRotary: "full",
    windows: "pattern",
    pattern: 4,
    window: 4096,
  },
  cwm: { epsilon: 1e-5, headDim: 128, kvHeads: 8, theta: 1e6, windows: "first-of-four-full", window: 8192 },
  ernie4_5: { epsilon: 1e-5, tied: true, interleaved: true, headDim: 128, kvHeads: 2, theta: 500000 },
  exaone4: {
    headNorms: true,
    headNormScales: "same",
    epsilon: 1e-5,
    noRotary: "full-if-windows",
    windows: "pattern",
    pattern: 4,
    window: 4096,
    kvHeads: 32,
  },
  falcon: {
    norm: "layer",
    epsilon: 1e-5,
    activation: "gelu",
    tied: true,
    parallel: "setting",
    fused: "falcon",
  },
  gemma: { ...gemmaLike, kvHeads: 16, isGeluTanh: true },
  gemma2: { ...gemma2Like, attentionCap: 50, logitCap: 30 },
  gemma3_text: {
    headNorms: true,
    headNormScales: "same",
    ...gemma2Like,
    windows: "pattern",
    pattern: 6,
    theta: 1e6,
    localTheta: 10000,
  },
  glm: { epsilon: 1.5625e-7, interleaved: true, partial: 0.5, headDim: 128, kvHeads: 2 },
  glm4: { epsilon: 1.5625e-7, interleaved: true, partial: 0.5, headDim: 128, kvHeads: 2 },
  gpt2: { ...gptLike, positions: "learned", transposed: true },
  gpt_bigcode: { ...gptLike, activation: "gelu_pytorch_tanh", positions: "learned", fused: "bigcode" },
  gpt_neo: {
    ...gptLike,
    positions: "learned",
    attentionScale: "none",
    windows: "attention_layers",
    window: 256,
  },
  gpt_neox: {
    norm: "layer",
    kvHeads: "heads",
    epsilon: 1e-5,
    activation: "gelu",
    parallel: "setting",
    partial: 0.25,
    fused: "heads",
  },
  gptj: {
    hasHeadBias: true,
    norm: "layer",
    kvHeads: "heads",
    epsilon: 1e-5,
    activation: "gelu_new",
    parallel: true,
    interleaved: true,
  },
  granite: { attentionScale: "attention_multiplier" },
  helium: { epsilon: 1e-8, interleaved: true, headDim: 128, kvHeads: 20, theta: 100000 },
  hunyuan_v1_dense: { headNorms: true, headNormScales: "same", epsilon: 1e-5, normAfterRotary: true },
  hyperclovax: { attentionScale: "attention_multiplier, else size", isLogitFactor: true },
  jais2: { norm: "layer", epsilon: 1e-5, activation: "relu2" },
  lfm2: { headNorms: true, headNormScales: "same", epsilon: 1e-5, tied: true, kvHeads: 8, theta: 1e6 },
  llama: {},
  ministral: { kvHeads: 8, windows: "all", window: 4096 },
  mistral: { kvHeads: 8, windows: "all", window: 4096 },
  nanochat: {
    plainNorm: true,
    hasEmbeddingNorm: true,
    headNorms: true,
    normAfterRotary: true,
    isReversed: true,
    activation: "relu2",
    logitCap: 15,
  },
  nemotron: { norm: "layer", normOffset: true, epsilon: 1e-5, activation: "relu2", partial: 0.5 },
  olmo: { norm: "layer", plainNorm: true, epsilon: 1e-5 },
  olmo2: { headNorms: true, headNormScales: "together", epsilon: 1e-5 },
  olmo3: {
    headNorms: true,
    headNormScales: "together",
    epsilon: 1e-5,
    theta: 500000,
    localTheta: 500000,
    windows: "pattern",
    pattern: 4,
    window: 4096,
  },
  "openai-gpt": { ...gptLike, isGeluTanh: true, positions: "learned", postNorm: true, transposed: true },
  opt: { ...gptLike, activation: "relu", positions: "learned", positionOffset: 2 },
  persimmon: {
    headNormScales: "same",
    norm: "layer",
    kvHeads: "heads",
    epsilon: 1e-5,
    activation: "relu2",
    partial: 0.5,
    fused: "heads",
  },
  phi: {
    headNormScales: "same",
    hasHeadBias: true,
    norm: "layer",
    epsilon: 1e-5,
    activation: "gelu_new",
    parallel: true,
    partial: 0.5,
  },
  phi3: { epsilon: 1e-5, windows: "all" },
  qwen2: { hasBiases: true, kvHeads: 32, windows: "max_window_layers", window: 4096 },
  qwen3: {
    headNorms: true,
    headNormScales: "same",
    kvHeads: 32,
    headDim: 128,
    windows: "max_window_layers",
    window: 4096,
  },
  seed_oss: { headDim: 128, kvHeads: 8 },
  smollm3: { tied: true, kvHeads: 4, theta: 2e6, noRotary: "no_rope_layers", windows: "unused" },
  stablelm: { norm: "layer", epsilon: 1e-5, parallel: "setting", partial: 0.25, kvHeads: 32 },
  starcoder2: {
    norm: "layer",
    epsilon: 1e-5,
    activation: "gelu_pytorch_tanh",
    tied: true,
    kvHeads: 2,
    windows: "all",
  },
  vaultgemma: { ...gemma2Like, attentionCap: 50, logitCap: 30 },
};
