// Settings of single families that would make them compute something else are refused by name.

import { expect, test } from "vitest";
import { OctetteError } from "../../../src/errors";
import { buildLanguageGraph } from "../../../src/text/builder/build";
import { familyNamed } from "./family-cases";

const attention = familyNamed("mpt").config.attn_config as object;
const rope = familyNamed("ministral3").config.rope_parameters as object;

test.for([
  ["bloom", { apply_residual_connection_post_layernorm: true }, "expected false, got true"],
  [
    "bloom",
    { seq_length: 2 ** 31 - 1 },
    "seq_length has a value that octette does not know: expected at most",
  ],
  ["mpt", { attn_config: { ...attention, alibi: false } }, "alibi has a value that octette does not know"],
  ["mpt", { alibi: true, attn_config: { ...attention, alibi: false } }, "alibi has a value that octette"],
  ["mpt", { attn_config: { ...attention, alibi_bias_max: 5 } }, "alibi_bias_max has a value"],
  [
    "mpt",
    { attn_config: { ...attention, prefix_lm: true } },
    "prefix_lm has a value that octette does not know",
  ],
  ["mpt", { attn_config: { ...attention, qk_ln: true } }, "qk_ln has a value that octette does not know"],
  ["mpt", { attn_config: { ...attention, rope: true } }, "rope is a setting that octette does not know"],
  ["mpt", { attn_config: { ...attention, attn_type: "multiquery_attention" } }, "attn_type has a value"],
  ["mpt", { attn_config: 5 }, "attn_config is a setting that octette does not know: got 5"],
  ["llama", { attn_config: { alibi: true } }, "attn_config is a setting that octette does not know"],
  ["mpt", { no_bias: false }, "no_bias has a value that octette does not know: expected true"],
  [
    "falcon@alibi",
    { alibi: "yes" },
    'alibi has a value that octette does not know: expected true or false, got "yes"',
  ],
  ["llama", { alibi: true }, "alibi has a value that octette does not know: expected false, got true"],
  [
    "xglm",
    { d_model: 2, attention_heads: 1 },
    "d_model has a value that octette does not know: expected an even",
  ],
  ["llama", { hidden_act: "xielu" }, "an activation that octette does not have"],
  ["llama", { token_dropout: true }, "token_dropout has a value that octette does not know: expected false"],
  ["llama", { output_multiplier: 2 }, "output_multiplier is a setting that octette does not know"],
  ["apertus", { rope_parameters: null }, "rope_parameters has a value that octette does not know"],
  ["ministral3", { rope_parameters: null }, "rope_parameters has a value that octette does not know"],
  [
    "ministral3",
    { rope_parameters: { ...rope, llama_4_scaling_beta: null } },
    "llama_4_scaling_beta has a value",
  ],
  [
    "ministral3",
    { rope_parameters: { ...rope, original_max_position_embeddings: -1 } },
    "original_max_position_embeddings has a value",
  ],
  ["ministral3", { original_max_position_embeddings: 4 }, "original_max_position_embeddings has a value"],
  [
    "granitemoehybrid",
    { rope_parameters: { full_attention: { rope_type: "default", rope_theta: 77 } } },
    "rope_parameters has a value that octette does not know: expected one for all layers",
  ],
  ["opt", { do_layer_norm_before: false }, "final_layer_norm"],
  ["granitemoehybrid", { layer_types: ["mamba", "attention"] }, "layer_types has a value"],
  // What the family does not compute, whatever a file says of it.
  ["llama", { partial_rotary_factor: 0.5 }, "partial_rotary_factor has a value"],
  [
    "llama",
    { rope_parameters: { rope_type: "default", rope_theta: 1e4, partial_rotary_factor: 0.5 } },
    "partial_rotary_factor has a value that octette does not know: expected 1, got 0.5",
  ],
  ["llama", { rotary_dim: 2 }, "rotary_dim is a setting that octette does not know"],
  [
    "gpt_neox",
    { partial_rotary_factor: 0.25 },
    "partial_rotary_factor has a value that octette does not know: expected 0.5",
  ],
  ["llama", { rotary_pct: 0.5 }, "rotary_pct has a value that octette does not know: expected 1, got 0.5"],
  ["llama", { layer_types: ["sliding_attention", "full_attention"], sliding_window: 4 }, "layer_types has"],
  ["phi3", { layer_types: ["full_attention", "full_attention"], sliding_window: 4 }, "layer_types has"],
  ["starcoder2", { layer_types: ["full_attention", "full_attention"], sliding_window: 4 }, "layer_types has"],
  ["ministral3", { layer_types: ["full_attention", "full_attention"], sliding_window: 4 }, "layer_types has"],
  ["olmo3", { layer_types: null, sliding_window_pattern: 2 }, "sliding_window_pattern is a setting"],
  ["cwm", { layer_types: null, sliding_window_pattern: 2 }, "sliding_window_pattern is a setting"],
  ["cwm", { rope_parameters: null, rope_theta: 1e4 }, "rope_parameters has a value that octette does not"],
  // Settings that other families have.
  ["modernbert-decoder", { decoder_bias: false }, "decoder_bias has a value that octette does not know"],
  ["big_bird!Model", { use_bias: false }, "config.json and tensors disagree about"],
  ["llama", { scale_attn_by_inverse_layer_idx: true }, "scale_attn_by_inverse_layer_idx has a value"],
  ["llama", { scale_attn_weights: false }, "scale_attn_weights has a value that octette does not know"],
  ["llama", { scale_embedding: true }, "scale_embedding has a value that octette does not know"],
  ["llama", { do_layer_norm_before: false }, "do_layer_norm_before has a value that octette does not know"],
  [
    "llama",
    { final_logit_softcapping: 30 },
    "final_logit_softcapping has a value that octette does not know",
  ],
  ["llama", { embedding_multiplier: 3 }, "embedding_multiplier has a value that octette does not know"],
  ["llama", { residual_multiplier: 3 }, "residual_multiplier has a value that octette does not know"],
  ["llama", { logit_scale: 3 }, "logit_scale has a value that octette does not know"],
  ["llama", { logits_scaling: 3 }, "logits_scaling has a value that octette does not know"],
  ["llama", { clip_qkv: 3 }, "clip_qkv has a value that octette does not know"],
  [
    "llama",
    { hidden_activation: "relu" },
    "hidden_act has a value that octette does not know: expected relu",
  ],
  ["llama", { layer_norm_eps: 0.5 }, "layer_norm_eps has a value that octette does not know"],
  ["mistral", { use_sliding_window: false }, "use_sliding_window has a value that octette does not know"],
  ["mistral", { full_attn_idxs: [0, 1] }, "full_attn_idxs is a setting that octette does not know"],
  ["mistral", { layer_types: ["full_attention", "full_attention"], sliding_window: 4 }, "layer_types has"],
  [
    "llama",
    { rope_parameters: { full_attention: { rope_type: "default", rope_theta: 77 } } },
    "rope_parameters has a value that octette does not know: expected one for all layers",
  ],
  [
    "gptj",
    { rope_scaling: { type: "linear", factor: 2 } },
    "rope_scaling is a setting that octette does not",
  ],
  ["phi", { rotary_dim: 4 }, "rotary_dim is a setting that octette does not know"],
  ["bloom", { hidden_act: "relu" }, "hidden_act has a value that octette does not know"],
  ["lfm2", { hidden_act: "relu" }, "hidden_act has a value that octette does not know"],
  ["opt", { layer_norm_eps: 0.5 }, "layer_norm_eps has a value that octette does not know"],
  ["opt", { enable_bias: false }, "config.json and tensors disagree about"],
  ["opt", { layer_norm_elementwise_affine: false }, "layer_norm_elementwise_affine has a value"],
  ["gpt_neo", { num_attention_heads: 2, num_heads: 4 }, "has a value that octette does not know"],
  ["distilbert!Model", { layer_norm_eps: 0.5 }, "layer_norm_eps has a value that octette does not know"],
  ["gte!Model", { rotary_value: true }, "rotary_value has a value that octette does not know"],
  ["mpnet!Model", { global_attn_every_n_layers: 2 }, "global_attn_every_n_layers is a setting"],
  ["t5!EncoderModel", { dense_act_fn: "gelu" }, "dense_act_fn has a value that octette does not know"],
  // Settings of rotary embeddings by names of other families.
  [
    "modernbert!Model",
    { rope_theta: 500 },
    "rope_theta has a value that octette does not know: expected 160000, got 500",
  ],
  [
    "modernbert-decoder",
    { rope_theta: 500 },
    "rope_theta has a value that octette does not know: expected 160000, got 500",
  ],
  [
    "modernbert!Model",
    { rope_parameters: { rope_type: "default", rope_theta: 300 } },
    "rope_parameters has a value that octette does not know: expected one a layer type",
  ],
  ["olmo3", { rope_local_base_freq: 50 }, "rope_local_base_freq is a setting that octette does not know"],
  [
    "llama",
    { rotary_emb_base: 500 },
    "rotary_emb_base has a value that octette does not know: expected 10000",
  ],
  ["llama", { global_rope_theta: 500 }, "global_rope_theta is a setting that octette does not know"],
  ["gpt_neox", { rope_theta: 500 }, "rope_theta has a value that octette does not know: expected 10000"],
  ["mpnet!Model", { relative_attention_num_buckets: 64 }, "relative_attention_num_buckets has a value"],
  ["mpnet!Model", { relative_attention_max_distance: 64 }, "relative_attention_max_distance has a value"],
  ["gemma3_text", { attn_logit_softcapping: 3 }, "attn_logit_softcapping is a setting"],
  [
    "gemma3_text",
    { rope_parameters: { rope_type: "default", rope_theta: 300 } },
    "rope_parameters has a value that octette does not know: expected one a layer type",
  ],
  [
    "granitemoehybrid",
    { num_local_experts: 4 },
    "num_local_experts has a value that octette does not know: expected 0",
  ],
  ["granitemoehybrid", { position_embedding_type: null }, "position_embedding_type has a value"],
  ["granitemoehybrid", { normalization_function: "layernorm" }, "normalization_function has a value"],
  ["esm!Model", { position_embedding_type: "absolute" }, "position_embedding_type has a value"],
  ["esm!Model", { emb_layer_norm_before: true }, "emb_layer_norm_before has a value"],
  ["esm!MaskedLM", { mask_token_id: 40 }, "mask_token_id has a value that octette does not know"],
  ["esm!MaskedLM", { mask_token_id: null }, "config.json has no mask_token_id"],
  ["esm!Model", { is_folding_model: true }, "is_folding_model has a value that octette does not know"],
  ["roformer!Model", { rotary_value: 1 }, "rotary_value has a value that octette does not know"],
  ["t5!EncoderModel", { n_positions: 2 ** 24 }, "n_positions has a value that octette does not know"],
  ["t5!EncoderModel", { relative_attention_max_distance: 8 }, "relative_attention_max_distance has a value"],
  ["t5!EncoderModel", { feed_forward_proj: "gated-relu2d" }, "an activation that octette does not have"],
  ["deberta-v2!Model", { max_position_embeddings: 2 ** 24 }, "max_position_embeddings has a value"],
  ["mpnet!Model", { is_encoder_decoder: true }, "is_encoder_decoder has a value"],
  ["dpr!QuestionEncoder", { projection_dim: 8 }, "projection_dim has a value that octette does not know"],
  ["big_bird!Model", { rescale_embeddings: true }, "rescale_embeddings has a value"],
  ["xglm", { d_model: 15, attention_heads: 1 }, "d_model has a value that octette does not know"],
  ["modernbert-decoder", { local_attention: 1 }, "local_attention has a value that octette does not know"],
] as const)("%s %o", ([name, changes, message]) => {
  const source = familyNamed(name);
  const build = () => buildLanguageGraph({ ...source, config: { ...source.config, ...changes } });
  expect(build).toThrow(message);
  expect(build).toThrow(OctetteError);
});

test.for([
  // As transformers 4 saves it.
  [
    "gpt_neox",
    {
      rope_parameters: null,
      rotary_pct: 0.5,
      partial_rotary_factor: 0.5,
      rotary_emb_base: 1e3,
      rope_theta: 1e3,
    },
  ],
  // As Command R7B has it.
  [
    "cohere2",
    { rotary_pct: 1, position_embedding_type: "rope_gptj", order_of_interleaved_layers: "local_attn_first" },
  ],
] as const)("%s: a share of heads that rotates is taken by both names, where they agree", ([name, own]) => {
  const source = familyNamed(name);
  const { graph } = buildLanguageGraph({ ...source, config: { ...source.config, ...own } });
  expect(graph).toEqual(buildLanguageGraph(source).graph);
});

test.for([
  ["llama", { seq_length: 32 }],
  ["llama", { n_positions: 7 }],
  // As Falcon 3 has it.
  ["llama", { activation: "swiglu" }],
  ["bert!Model", { n_positions: 7 }],
  ["distilbert!Model", { layer_norm_eps: 1e-12 }],
] as const)("%s: what a file says beside what its family reads changes nothing: %o", ([name, own]) => {
  const source = familyNamed(name);
  const { graph } = buildLanguageGraph({ ...source, config: { ...source.config, ...own } });
  expect(graph).toEqual(buildLanguageGraph(source).graph);
});

test.for([
  ["llama", "lm_head.weight", "model.embed_tokens.weight"],
  ["bert!MaskedLM", "cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"],
] as const)("%s: a tied head that the file has, too, must be the table", async ([name, head, table]) => {
  const source = familyNamed(name);
  const config = { ...source.config, tie_word_embeddings: true };
  const tensors = new Map([...source.tensors, [head, source.tensors.get(table)!]]);
  const repeated = {
    ...source,
    config,
    tensors,
    read: (own: string) => source.read(own === head ? table : own),
  };
  const { data } = await buildLanguageGraph(repeated).read(table);
  expect(data).toEqual((await source.read(table)).data);
  const other = async (own: string) => {
    const read = await repeated.read(own);
    return own === head ? { ...read, data: (read.data as Float32Array).with(-1, 3) } : read;
  };
  const message = `"${head}" differs from "${table}", to which config.json ties it`;
  const different = buildLanguageGraph({ ...repeated, read: other });
  await expect(different.read(table)).rejects.toThrow(message);
  // Row by row as well: all of them, where a file cannot read rows.
  await expect(different.readRows(table, 30, 40)).rejects.toThrow(message);
  const readRows = async (own: string, begin: number, end: number) => {
    const { dtype, shape, data } = await other(own);
    const width = shape[1]!;
    return { dtype, shape: [end - begin, width], data: data.slice(begin * width, end * width) };
  };
  const byRows = buildLanguageGraph({ ...repeated, read: other, readRows });
  await byRows.readRows(table, 0, 5);
  await expect(byRows.readRows(table, 30, 40)).rejects.toThrow(message);
});
