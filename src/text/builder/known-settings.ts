// Settings of config.json that change nothing of what a model computes once it is trained, and those that octette takes with certain
// values only. What stands neither here nor is read by the builder is refused by name.

/** Training, generation, other libraries, and sizes that tensors say themselves. */
export const HARMLESS: ReadonlySet<string> = new Set(
  `
  architectures auto_map custom_pipelines dtype id2label label2id language license model_max_length model_name model_type name
  problem_type quantization_aware tokenizer_class torch_dtype transformers_version transformers.js_config finetuning_task
  base_model_name_or_path is_llama_config num_labels max_length

  begin_suppress_tokens image_token_index prefix suppress_tokens text_len

  bad_words_ids do_sample early_stopping keys_to_ignore_at_inference min_length remove_invalid_values task_specific_params temperature
  tf_legacy_loss top_k top_p torchscript typical_p use_cache cache_implementation tie_encoder_decoder

  gradient_checkpointing sparse_pred_ignore_index sparse_prediction verbose

  attention_softmax_in_fp32 chunk_size_feed_forward legacy pretraining_tp reference_compile reorder_and_upcast_attn
  repad_logits_with_grad scale_attention_softmax_in_fp32 slow_but_exact unpad_inputs use_bfloat16 use_xla bias_dropout_fusion
  masked_softmax_fusion bf16 fp16 fp32 pad_vocab_size_multiple padding_idx

  attention_types conv_dim conv_dim_out intermediate_size ffn_dim ffn_hidden_size hidden_dim n_inner inner_dim vocab_size
  word_embed_proj_dim embedding_size input_embedding_size type_vocab_size n_ctx original_max_position_embeddings max_window_layers
  num_ln_in_parallel_attn num_ln_in_parallel conv_bias qk_layernorm use_qk_norm use_qkv_bias use_bias mlp_bias attention_out_bias
  norm_bias bias classifier_bias conv_act conv_groups directionality expansion_ratio
  shared_intermediate_size learned_pos_emb offset_alibi router_aux_loss_coef num_experts_per_tok sinusoidal_pos_embds
  sliding_window_size theta tie_weights_ use_parallel_embedding task_type_vocab_size net_structure_type gap_size num_memory_blocks
  d_ff down_scale_factor dropout_rate entity_emb_size entity_vocab_size is_gated_act num_decoder_layers pooler_hidden_size
  scale_decoder_outputs use_entity_aware_attention
  `
    .trim()
    .split(/\s+/),
);

/**
 * The same by their kind: of training and generation, ids of tokens, what is given back, parts of other heads and of layers that a model
 * does without, and ways to compute.
 */
export const HARMLESS_KINDS =
  /(dropout(_prob)?|drop|penalty|ngram_size)$|(^|_)(token|bos|eos|pad|sep|im_end|im_start)_id$|(^|_)init(_|$)|^(attn_impl|initializer|num_beam|num_return|skip_bias|unsloth)|^(mamba|pooler|return|summary|time_step)_|^output_(attentions|embedding|hidden|past|router|scores)|^block_(auto|dim|ff|multiple|norm|use)|flash_att|fused|memory_efficient/;

/** Values that octette has, of settings that ask for something else with others. */
export const REQUIRED: Readonly<Record<string, readonly unknown[]>> = {
  add_cross_attention: [false],
  alibi: [false],
  // What transformers reads for 8, whatever it is.
  alibi_bias_max: [8],
  apply_residual_connection_post_layernorm: [false],
  attn_type: ["multihead_attention"],
  attn_uses_sequence_id: [false],
  clip_qkv: [],
  conv_kernel_size: [0],
  cross_attention_hidden_size: [],
  decoder_bias: [true],
  do_layer_norm_before: [true],
  emb_layer_norm_before: [false],
  embedding_multiplier: [1],
  enable_bias: [true],
  final_logit_softcapping: [],
  embedding_fraction: [1],
  full_attn_mod: [1],
  interpolate_factor: [1],
  is_causal: [true],
  is_composition: [false],
  is_decoder: [false],
  is_encoder_decoder: [false],
  is_folding_model: [false],
  layer_norm_elementwise_affine: [true],
  layers_to_keep: [[]],
  lm_head_bias: [false],
  logit_scale: [1],
  logits_scaling: [1],
  mlp_type: ["default"],
  no_bias: [true],
  norm_type: ["layer_norm", "rms_norm", "low_precision_layernorm"],
  normalization_function: ["rmsnorm"],
  num_local_experts: [0],
  order_of_interleaved_layers: ["local_attn_first"],
  position_embedding_type: ["absolute", "rope_gptj"],
  norm_rel_ebd: ["layer_norm"],
  pooler_hidden_act: ["gelu", "tanh"],
  position_biased_input: [false],
  prefix_lm: [false],
  pruned_heads: [{}],
  qk_ln: [false],
  quantization_config: [],
  relative_attention: [false],
  projection_dim: [0],
  rescale_embeddings: [false],
  residual_multiplier: [1],
  rope_interleaved: [false],
  rotary: [true],
  rotary_value: [false],
  sinusoidal: [false],
  scale_attn_by_inverse_layer_idx: [false],
  scale_attn_weights: [true],
  scale_embedding: [false],
  share_att_key: [true],
  token_dropout: [false],
  use_bidirectional_attention: [false],
  use_embedding_sharing: [true],
  use_gated_activation: [true],
  use_mrope: [false],
  use_parallel_block: [true],
  use_pos_enc: [true],
  use_task_id: [false],
};
