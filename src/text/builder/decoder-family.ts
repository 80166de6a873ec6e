// What neither settings nor tensors say of a decoder: what may differ from family to family.

import type { RotaryFamily } from "./rotary";

/** Settings that some families have, and others compute nothing of. */
export type OptionalSetting =
  | "clip_qkv"
  | "do_layer_norm_before"
  | "embedding_multiplier"
  | "final_logit_softcapping"
  | "logit_scale"
  | "logits_scaling"
  | "residual_multiplier"
  | "scale_attn_by_inverse_layer_idx"
  | "scale_attn_weights"
  | "scale_embedding";

/** How a family's decoder computes, where its files do not say so. Left out: as Llama. */
export interface DecoderFamily extends RotaryFamily {
  /** Which of those settings its files may say. */
  readonly reads?: readonly OptionalSetting[];
  /** "layer": mean and variance, with an optional bias. Default "rms". */
  readonly norm?: "rms" | "layer";
  /** Norm scales are 1 + the value in the file. */
  readonly normOffset?: true;
  /** Norms, of heads too, without scale and bias. */
  readonly plainNorm?: true;
  readonly epsilon?: number;
  /** What a file says of the epsilon is not used. */
  readonly hasOwnEpsilon?: true;
  /** A file that says another epsilon is refused. */
  readonly onlyEpsilon?: true;
  /** A file that says another activation is refused. */
  readonly onlyActivation?: true;
  /** Embeddings are normalized, by a norm of their own where norms have scales. */
  readonly hasEmbeddingNorm?: true;
  /** Attention and feed-forward read the same residual stream; "setting": as a setting of the file says. */
  readonly parallel?: true | "setting";
  /** Where a setting may say it, and does not: one after the other. Side by side, both read one norm. */
  readonly isSerial?: true;
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
    | "query_pre_attn_scalar"
    | "softmax_scale";
  /** Settings of attention are an object of their own, attn_config. */
  readonly hasAttentionSettings?: true;
  readonly attentionCap?: number;
  readonly logitCap?: number;
  readonly logitScale?: number;
  /** Logits are multiplied by logits_scaling, by which others divide them. */
  readonly isLogitFactor?: true;
  /** How positions enter; "sinusoidal": sines and cosines are added; "alibi or rotary": as the setting alibi says, in bf16. Default: they rotate. */
  readonly positions?: "learned" | "sinusoidal" | "alibi" | "alibi or rotary";
  /** That they rotate must be said by position_embedding_type. */
  readonly isRotaryNamed?: true;
  /** Its settings must say how heads rotate. */
  readonly needsRotary?: true;
  /** Row of the table of position 0. */
  readonly positionOffset?: number;
  /** Pairs that rotate are neighbours. */
  readonly interleaved?: true;
  /** Pairs rotate backwards. */
  readonly isReversed?: true;
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
    | "first-full"
    | "attention_layers"
    | "unused";
  readonly pattern?: number;
  /** The setting that says the pattern; left out: none does. */
  readonly patternName?: string;
  /** Its layers are all of one kind, whatever a file lists. */
  readonly hasLikeLayers?: true;
  readonly window?: number;
  /** A setting, local_attention, is twice the window, where sliding_window does not say it. */
  readonly isWindowHalved?: true;
  /** How q, k and v lie in one tensor. Default: one after the other. */
  readonly fused?: "heads" | "falcon" | "bigcode" | "codegen";
  /** For embeddings, a setting may say that tokens see those after them, too. */
  readonly mayLookAhead?: true;
  /** Weights are [inputs, outputs]. */
  readonly transposed?: true;
}
