// What several families have in common.

import type { DecoderFamily } from "./decoder-family";
import type { RotaryFamily } from "./rotary";

/** GPT 2 and what came of it. */
export const gptLike = {
  norm: "layer",
  epsilon: 1e-5,
  activation: "gelu_new",
  tied: true,
  kvHeads: "heads",
} as const satisfies DecoderFamily;

/** All Gemmas. */
export const gemmaLike = {
  normOffset: true,
  epsilon: 1e-6,
  activation: "gelu_pytorch_tanh",
  tied: true,
  headDim: 256,
  embeddingScale: true,
} as const satisfies DecoderFamily;

/** Gemma since its second version. */
export const gemma2Like = {
  ...gemmaLike,
  attentionScale: "query_pre_attn_scalar",
  kvHeads: 4,
  windows: "even",
  window: 4096,
  reads: ["final_logit_softcapping"],
} as const satisfies DecoderFamily;

/** Settings that Granite multiplies by. */
export const multipliers = ["embedding_multiplier", "residual_multiplier", "logits_scaling"] as const;

/** ModernBERT's settings of rotary embeddings. */
export const modernBertRotary = {
  theta: 160000,
  thetaName: "global_rope_theta",
  localTheta: 10000,
  localThetaName: "local_rope_theta",
  scalesWindows: true,
} as const satisfies RotaryFamily;
