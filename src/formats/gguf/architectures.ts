// Architectures of GGUF files in the words of Hugging Face: the family, names of tensors, and what llama.cpp knows of it and no key says.

import { OctetteError } from "../../errors";
import type { Tensor } from "../../graph/tensor";
import {
  apertus,
  type Common,
  clipOf,
  falcon,
  type GgufSettings,
  gemma2,
  gemma3,
  granite,
  lfm2,
  logitScaleOf,
  mistral3,
  modernBert,
  mpt,
  olmo2,
  slidingWindows,
  stablelm,
} from "./family-settings";
import {
  bertNames,
  bloomNames,
  falconNames,
  glm4Names,
  gpt2Names,
  lfm2Names,
  modernBertNames,
  mptNames,
  neoxNames,
  nomicBertNames,
  phi2Names,
  sandwichNames,
  type TensorNames,
} from "./tensor-names";

export interface Architecture {
  /** `model_type` of config.json. */
  readonly family: string;
  /** GgufSettings beside those that all have. */
  readonly settings?: (common: Common) => GgufSettings;
  /** Prefix of tensors, and of a layer. Default "model." and "layers". */
  readonly prefix?: string;
  readonly layerPrefix?: string;
  /** Names beside the layers and in them that differ from Llama's. */
  readonly names?: TensorNames | ((has: (tensor: string) => boolean) => TensorNames);
  /** Whether rows of q and k lie as pairs that rotate, next to each other. */
  readonly permutesHeads?: true;
  /** Whether Hugging Face keeps rows of q, k and v key head by key head, where the file has them one after the other. */
  readonly groupsHeads?: true;
  /** Whether the file's norms are 1 + what Hugging Face's are. */
  readonly shiftsNorms?: true;
  /** Layers whose weights Hugging Face keeps as [inputs, outputs]. */
  readonly transposed?: readonly string[];
  /** Whether heads may turn in part. */
  readonly isPartial?: true;
  /** Norms are LayerNorm's. */
  readonly hasLayerNorm?: true;
  /** Heads do not rotate. */
  readonly hasNoRotary?: true;
  /** Tokens see the whole text, and hidden states become embeddings. */
  readonly isEncoder?: true;
  /** Tensors of Hugging Face that the file has as keys: elements by name. */
  readonly tensors?: (common: Common) => ReadonlyMap<string, Tensor>;
}

const layerNormed = { hasLayerNorm: true } as const;
const encoding = { isEncoder: true, prefix: "" } as const;
const gptLike = { ...layerNormed, hasNoRotary: true, prefix: "transformer.", layerPrefix: "h" } as const;

/** By `general.architecture`. */
const architectures: Readonly<Record<string, Architecture>> = {
  apertus: {
    family: "apertus",
    names: { attn_norm: "attention_layernorm", ffn_norm: "feedforward_layernorm" },
    tensors: apertus,
  },
  arcee: { family: "arcee", permutesHeads: true },
  bert: {
    ...layerNormed,
    ...encoding,
    family: "bert",
    hasNoRotary: true,
    layerPrefix: "encoder.layer",
    names: bertNames,
  },
  bloom: { ...gptLike, family: "bloom", groupsHeads: true, names: bloomNames },
  chatglm: { family: "glm", isPartial: true, names: { ffn_up: "mlp.gate_up_proj" } },
  cohere2: {
    ...layerNormed,
    family: "cohere2",
    settings: (common) => ({ ...logitScaleOf(common), ...slidingWindows(common) }),
  },
  "command-r": { ...layerNormed, family: "cohere", settings: logitScaleOf },
  ernie4_5: { family: "ernie4_5" },
  eurobert: { ...encoding, family: "eurobert" },
  exaone4: {
    family: "exaone4",
    names: sandwichNames,
    settings: (common) => slidingWindows(common) ?? { sliding_window: null },
  },
  falcon: {
    ...layerNormed,
    family: "falcon",
    prefix: "transformer.",
    layerPrefix: "h",
    groupsHeads: true,
    settings: falcon,
    names: falconNames,
  },
  gemma: {
    family: "gemma",
    shiftsNorms: true,
    settings: () => ({ hidden_activation: "gelu_pytorch_tanh" }),
  },
  gemma2: { family: "gemma2", shiftsNorms: true, settings: gemma2, names: sandwichNames },
  gemma3: { family: "gemma3_text", shiftsNorms: true, settings: gemma3, names: sandwichNames },
  glm4: { family: "glm4", isPartial: true, names: glm4Names },
  gpt2: {
    ...gptLike,
    family: "gpt2",
    names: gpt2Names,
    transposed: ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"],
  },
  gptneox: {
    ...layerNormed,
    family: "gpt_neox",
    isPartial: true,
    groupsHeads: true,
    prefix: "gpt_neox.",
    names: neoxNames,
    settings: ({ name, keys }) => ({
      use_parallel_residual: keys.flag(`${name}.use_parallel_residual`) ?? true,
    }),
  },
  granite: { family: "granite", permutesHeads: true, settings: granite },
  "hunyuan-dense": {
    family: "hunyuan_v1_dense",
    names: { attn_q_norm: "self_attn.query_layernorm", attn_k_norm: "self_attn.key_layernorm" },
  },
  lfm2: { family: "lfm2", settings: lfm2, names: lfm2Names },
  llama: { family: "llama", permutesHeads: true },
  mistral3: { family: "ministral3", permutesHeads: true, settings: mistral3 },
  "modern-bert": {
    ...layerNormed,
    ...encoding,
    family: "modernbert",
    names: modernBertNames,
    settings: modernBert,
  },
  mpt: { ...gptLike, layerPrefix: "blocks", family: "mpt", names: mptNames, settings: mpt },
  nemotron: { ...layerNormed, family: "nemotron", isPartial: true, shiftsNorms: true },
  "nomic-bert": {
    ...layerNormed,
    ...encoding,
    family: "nomic_bert",
    layerPrefix: "encoder.layers",
    names: nomicBertNames,
  },
  olmo: { ...layerNormed, family: "olmo", permutesHeads: true, settings: clipOf },
  olmo2: { family: "olmo2", settings: olmo2, names: sandwichNames },
  phi2: { ...layerNormed, family: "phi", isPartial: true, names: phi2Names },
  phi3: {
    family: "phi3",
    isPartial: true,
    names: { attn_qkv: "self_attn.qkv_proj", ffn_up: "mlp.gate_up_proj" },
    settings: (common) => slidingWindows(common) ?? { sliding_window: null },
  },
  qwen2: { family: "qwen2" },
  qwen3: { family: "qwen3" },
  seed_oss: { family: "seed_oss", names: { post_attention_norm: "post_attention_layernorm" } },
  smollm3: { family: "smollm3", permutesHeads: true },
  stablelm: {
    ...layerNormed,
    family: "stablelm",
    isPartial: true,
    settings: stablelm,
    names: { attn_q_norm: "self_attn.q_layernorm", attn_k_norm: "self_attn.k_layernorm" },
  },
  starcoder: {
    ...gptLike,
    family: "gpt_bigcode",
    names: gpt2Names,
    settings: () => ({ multi_query: true }),
  },
  starcoder2: {
    ...layerNormed,
    family: "starcoder2",
    names: { ffn_up: "mlp.c_fc", ffn_down: "mlp.c_proj" },
    settings: () => ({ sliding_window: null }),
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
