// A small decoder that a test makes: Llama's names and settings, any of which a test may change.

import type { LanguageSource, SourceTensor } from "../../../src/formats/language-source";
import { sizeOf, tensor } from "../../../src/graph/tensor";

export const madeConfig = {
  model_type: "llama",
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  vocab_size: 11,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  hidden_act: "silu",
  tie_word_embeddings: true,
};

/** Shapes of a Llama's tensors. */
export function madeShapes(): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>([
    ["model.embed_tokens.weight", [11, 8]],
    ["model.norm.weight", [8]],
  ]);
  for (const i of [0, 1])
    for (const [name, shape] of Object.entries({
      input_layernorm: [8],
      post_attention_layernorm: [8],
      "self_attn.q_proj": [8, 8],
      "self_attn.k_proj": [4, 8],
      "self_attn.v_proj": [4, 8],
      "self_attn.o_proj": [8, 8],
      "mlp.gate_proj": [12, 8],
      "mlp.up_proj": [12, 8],
      "mlp.down_proj": [8, 12],
    }))
      shapes.set(`model.layers.${i}.${name}.weight`, shape);
  return shapes;
}

/** A source of these settings and shapes; the elements of a tensor are 0, 1, 2 … of its place in it. */
export function madeSource(
  config: Readonly<Record<string, unknown>> = madeConfig,
  shapes: ReadonlyMap<string, readonly number[]> = madeShapes(),
): LanguageSource & { readonly reads: string[] } {
  const tensors = new Map(
    [...shapes].map(([name, shape]) => [name, { dtype: "F32", shape } satisfies SourceTensor]),
  );
  const reads: string[] = [];
  return {
    where: "made",
    config,
    tensors,
    reads,
    read: async (name) => {
      reads.push(name);
      const shape = shapes.get(name)!;
      return tensor(
        "f32",
        shape,
        Array.from({ length: sizeOf(shape) }, (_, i) => i),
      );
    },
    text: {},
    close: async () => {},
  };
}
