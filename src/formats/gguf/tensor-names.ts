// Names of a GGUF file's tensors in the words of Hugging Face, without the number of a layer and what stands before it.

export type TensorNames = Readonly<Record<string, string>>;

/** Names of Llama's parts, which most share. */
export const llamaNames: TensorNames = {
  token_embd: "embed_tokens",
  output_norm: "norm",
  attn_norm: "input_layernorm",
  attn_q: "self_attn.q_proj",
  attn_k: "self_attn.k_proj",
  attn_v: "self_attn.v_proj",
  attn_output: "self_attn.o_proj",
  attn_q_norm: "self_attn.q_norm",
  attn_k_norm: "self_attn.k_norm",
  ffn_norm: "post_attention_layernorm",
  ffn_gate: "mlp.gate_proj",
  ffn_up: "mlp.up_proj",
  ffn_down: "mlp.down_proj",
};

/** Norms before and behind attention and feed-forward. */
export const sandwichNames: TensorNames = {
  ffn_norm: "pre_feedforward_layernorm",
  post_attention_norm: "post_attention_layernorm",
  post_ffw_norm: "post_feedforward_layernorm",
};

export const glm4Names: TensorNames = {
  post_attention_norm: "post_self_attn_layernorm",
  post_ffw_norm: "post_mlp_layernorm",
  ffn_up: "mlp.gate_up_proj",
};

export const gpt2Names: TensorNames = {
  token_embd: "wte",
  position_embd: "wpe",
  output_norm: "ln_f",
  attn_norm: "ln_1",
  attn_qkv: "attn.c_attn",
  attn_output: "attn.c_proj",
  ffn_norm: "ln_2",
  ffn_up: "mlp.c_fc",
  ffn_down: "mlp.c_proj",
};

export const neoxNames: TensorNames = {
  token_embd: "embed_in",
  output_norm: "final_layer_norm",
  attn_qkv: "attention.query_key_value",
  attn_output: "attention.dense",
  ffn_up: "mlp.dense_h_to_4h",
  ffn_down: "mlp.dense_4h_to_h",
};

export const bloomNames: TensorNames = {
  ...neoxNames,
  token_embd: "word_embeddings",
  token_embd_norm: "word_embeddings_layernorm",
  output_norm: "ln_f",
  attn_qkv: "self_attention.query_key_value",
  attn_output: "self_attention.dense",
};

/** With two norms, the second is that of attention. */
export const falconNames = (has: (tensor: string) => boolean): TensorNames => ({
  ...bloomNames,
  attn_norm: has("blk.0.attn_norm_2.weight") ? "ln_mlp" : "input_layernorm",
  attn_norm_2: "ln_attn",
});

export const mptNames: TensorNames = {
  token_embd: "wte",
  output_norm: "norm_f",
  attn_norm: "norm_1",
  attn_qkv: "attn.Wqkv",
  attn_output: "attn.out_proj",
  ffn_norm: "norm_2",
  ffn_up: "ffn.up_proj",
  ffn_down: "ffn.down_proj",
};

export const phi2Names: TensorNames = {
  output_norm: "final_layernorm",
  attn_qkv: "self_attn.query_key_value",
  attn_output: "self_attn.dense",
  ffn_up: "mlp.fc1",
  ffn_down: "mlp.fc2",
};

export const lfm2Names: TensorNames = {
  token_embd_norm: "embedding_norm",
  output_norm: "embedding_norm",
  attn_norm: "operator_norm",
  attn_output: "self_attn.out_proj",
  attn_q_norm: "self_attn.q_layernorm",
  attn_k_norm: "self_attn.k_layernorm",
  ffn_norm: "ffn_norm",
  ffn_gate: "feed_forward.w1",
  ffn_down: "feed_forward.w2",
  ffn_up: "feed_forward.w3",
  "shortconv.conv": "conv.conv",
  "shortconv.in_proj": "conv.in_proj",
  "shortconv.out_proj": "conv.out_proj",
};

export const bertNames: TensorNames = {
  token_embd: "embeddings.word_embeddings",
  token_types: "embeddings.token_type_embeddings",
  position_embd: "embeddings.position_embeddings",
  token_embd_norm: "embeddings.LayerNorm",
  attn_q: "attention.self.query",
  attn_k: "attention.self.key",
  attn_v: "attention.self.value",
  attn_output: "attention.output.dense",
  attn_output_norm: "attention.output.LayerNorm",
  ffn_up: "intermediate.dense",
  ffn_down: "output.dense",
  layer_output_norm: "output.LayerNorm",
};

export const nomicBertNames: TensorNames = {
  token_embd: "embeddings.word_embeddings",
  token_types: "embeddings.token_type_embeddings",
  token_embd_norm: "emb_ln",
  attn_qkv: "attn.Wqkv",
  attn_output: "attn.out_proj",
  attn_output_norm: "norm1",
  ffn_gate: "mlp.fc12",
  ffn_up: "mlp.fc11",
  ffn_down: "mlp.fc2",
  layer_output_norm: "norm2",
};

export const modernBertNames: TensorNames = {
  token_embd: "embeddings.tok_embeddings",
  token_embd_norm: "embeddings.norm",
  output_norm: "final_norm",
  attn_norm: "attn_norm",
  attn_qkv: "attn.Wqkv",
  attn_output: "attn.Wo",
  ffn_norm: "mlp_norm",
  ffn_up: "mlp.Wi",
  ffn_down: "mlp.Wo",
};
