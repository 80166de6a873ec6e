// Settings of config.json that change nothing of what a model computes once it is trained, and those that octette takes with certain
// values only. What stands neither here nor is read by the builder is refused by name.

/** Training, generation, other libraries, and sizes that tensors say themselves. */
export const HARMLESS: ReadonlySet<string> = new Set(
  `
  architectures auto_map custom_pipelines dtype id2label label2id language license model_max_length model_name model_type name
  problem_type quantization_aware tokenizer_class torch_dtype transformers_version transformers.js_config unsloth_fixed
  unsloth_version finetuning_task base_model_name_or_path is_llama_config num_labels max_length

  begin_suppress_tokens bos_token_id cls_token_id decoder_start_token_id eod_token_id eos_token_id forced_bos_token_id
  forced_eos_token_id im_end_id im_start_id image_token_index mask_token_id pad_id pad_token_id prefix sep_id sep_token_id
  suppress_tokens text_len unk_token_id bos_id eos_id

  bad_words_ids diversity_penalty do_sample early_stopping encoder_no_repeat_ngram_size exponential_decay_length_penalty
  keys_to_ignore_at_inference length_penalty min_length no_repeat_ngram_size num_beam_groups num_beams num_return_sequences
  output_attentions output_hidden_states output_past output_scores remove_invalid_values repetition_penalty return_dict
  return_dict_in_generate task_specific_params temperature tf_legacy_loss top_k top_p torchscript typical_p use_cache
  cache_implementation tie_encoder_decoder

  activation_dropout attention_dropout attention_probs_dropout_prob attn_dropout attn_pdrop classifier_dropout
  classifier_dropout_prob classifdropout dropout emb_pdrop embd_pdrop embed_dropout embedding_dropout ff_dropout
  gradient_checkpointing hidden_dropout hidden_dropout_prob init_device init_std initializer_cutoff_factor initializer_range
  layerdrop mlp_dropout pooler_dropout qa_dropout resid_dropout resid_pdrop residual_dropout seq_classif_dropout sparse_pred_ignore_index
  sparse_prediction summary_first_dropout summary_last_dropout verbose weight_init initializer_factor mup_init

  attention_softmax_in_fp32 attn_implementation chunk_size_feed_forward deterministic_flash_attn flash_attn flash_attn_bf16_force_unroll
  flash_attn_triton_cross_entropy legacy memory_efficient_attention output_router_logits pretraining_tp reference_compile
  reorder_and_upcast_attn repad_logits_with_grad scale_attention_softmax_in_fp32 slow_but_exact unpad_inputs use_bfloat16 use_flash_attn
  use_flash_attention use_fused_mlp use_fused_rms_norm use_fused_rope use_memory_efficient_attention use_xla fused_bias_fc
  fused_dropout_add_ln bf16 fp16 fp32 pad_vocab_size_multiple rope_fused use_flash_attn_2

  attention_types block_auto_adjust_ff_dim block_dim block_ff_dim block_ffn_dim_multiplier block_multiple_of block_use_swiglu
  conv_dim conv_dim_out conv_use_xavier_init block_mlp_init_scale block_norm_eps block_out_init_scale block_use_xavier_init
  intermediate_size ffn_dim ffn_hidden_size hidden_dim n_inner inner_dim vocab_size word_embed_proj_dim embedding_size input_embedding_size output_embedding_size type_vocab_size
  n_ctx original_max_position_embeddings max_window_layers num_ln_in_parallel_attn num_ln_in_parallel conv_bias qk_layernorm use_qk_norm use_qkv_bias use_bias
  mlp_bias attention_out_bias enable_bias norm_bias bias decoder_bias classifier_bias layer_norm_elementwise_affine
  pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type directionality
  summary_activation summary_proj_to_labels summary_type summary_use_proj
  sinusoidal_pos_embds sliding_window_size theta tie_weights_ use_parallel_embedding task_type_vocab_size net_structure_type gap_size num_memory_blocks down_scale_factor
  `
    .trim()
    .split(/\s+/),
);

/** Values that octette has, of settings that ask for something else with others. */
export const REQUIRED: Readonly<Record<string, readonly unknown[]>> = {
  add_cross_attention: [false],
  alibi: [false],
  apply_residual_connection_post_layernorm: [false],
  cross_attention_hidden_size: [],
  full_attn_mod: [1],
  interpolate_factor: [1],
  is_composition: [false],
  is_decoder: [false],
  is_encoder_decoder: [false],
  lm_head_bias: [false],
  mlp_type: ["default"],
  norm_type: ["layer_norm", "rms_norm"],
  order_of_interleaved_layers: ["local_attn_first"],
  position_embedding_type: ["absolute", "rope_gptj"],
  pruned_heads: [{}],
  quantization_config: [],
  relative_attention: [false],
  rope_interleaved: [false],
  rotary: [true],
  sinusoidal: [false],
  use_bidirectional_attention: [false],
  use_embedding_sharing: [true],
  use_gated_activation: [true],
  use_mrope: [false],
  use_parallel_block: [true],
  use_pos_enc: [true],
  use_task_id: [false],
};
