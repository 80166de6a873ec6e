// A folder of Hugging Face as GGUF with floats, as llama.cpp's convert_hf_to_gguf.py makes it: its keys, its names, rows of q and k
// as pairs for the architectures that turn them so, norms of Gemma with 1 added.

import { openFolder } from "../../../src/formats/hugging-face/open";
import type { LanguageSource } from "../../../src/formats/language-source";
import { type Value, type WrittenTensor, writeGguf } from "./write-gguf";

type Config = Readonly<Record<string, unknown>>;

/** What stands in a layer, by the names of Hugging Face. */
const layerParts: Readonly<Record<string, string>> = {
  input_layernorm: "attn_norm",
  "self_attn.q_proj": "attn_q",
  "self_attn.k_proj": "attn_k",
  "self_attn.v_proj": "attn_v",
  "self_attn.o_proj": "attn_output",
  "self_attn.out_proj": "attn_output",
  "self_attn.qkv_proj": "attn_qkv",
  "self_attn.q_norm": "attn_q_norm",
  "self_attn.k_norm": "attn_k_norm",
  "self_attn.q_layernorm": "attn_q_norm",
  "self_attn.k_layernorm": "attn_k_norm",
  post_attention_layernorm: "ffn_norm",
  "mlp.gate_proj": "ffn_gate",
  "mlp.up_proj": "ffn_up",
  "mlp.gate_up_proj": "ffn_up",
  "mlp.down_proj": "ffn_down",
  ln_1: "attn_norm",
  "attn.c_attn": "attn_qkv",
  "attn.c_proj": "attn_output",
  ln_2: "ffn_norm",
  "mlp.c_fc": "ffn_up",
  "mlp.c_proj": "ffn_down",
  operator_norm: "attn_norm",
  ffn_norm: "ffn_norm",
  "feed_forward.w1": "ffn_gate",
  "feed_forward.w2": "ffn_down",
  "feed_forward.w3": "ffn_up",
  "conv.conv": "shortconv.conv",
  "conv.in_proj": "shortconv.in_proj",
  "conv.out_proj": "shortconv.out_proj",
};
const sandwich: Readonly<Record<string, string>> = {
  pre_feedforward_layernorm: "ffn_norm",
  post_attention_layernorm: "post_attention_norm",
  post_feedforward_layernorm: "post_ffw_norm",
};
const besideLayers: Readonly<Record<string, string>> = {
  "model.embed_tokens": "token_embd",
  "model.norm": "output_norm",
  "model.embedding_norm": "token_embd_norm",
  lm_head: "output",
  "transformer.wte": "token_embd",
  "transformer.wpe": "position_embd",
  "transformer.ln_f": "output_norm",
};

function nameOf(name: string, isSandwich: boolean): string {
  const [, path = "", kind] = /^(.*)\.(weight|bias)$/.exec(name)!;
  const [, layer, part = ""] = /^(?:model\.layers|transformer\.h)\.(\d+)\.(.*)$/.exec(path) ?? [];
  if (layer === undefined) return `${besideLayers[path]}.${kind}`;
  return `blk.${layer}.${(isSandwich ? sandwich[part] : undefined) ?? layerParts[part]}.${kind}`;
}

/** As numpy's reshape(heads, 2, dim / 2, …).swapaxes(1, 2). */
function permuted(data: Float32Array, shape: readonly number[], heads: number): Float32Array {
  const width = shape.length === 1 ? 1 : shape[1]!;
  const half = shape[0]! / heads / 2;
  const result = new Float32Array(data.length);
  let at = 0;
  for (let h = 0; h < heads; h++)
    for (let j = 0; j < half; j++)
      for (let a = 0; a < 2; a++) {
        const row = (h * 2 + a) * half + j;
        result.set(data.subarray(row * width, (row + 1) * width), at);
        at += width;
      }
  return result;
}

const bytesOf = (data: ArrayLike<number>): Uint8Array => new Uint8Array(Float32Array.from(data).buffer);

/** llama.cpp's factors of Llama 3's frequencies. */
function llama3Factors(rope: Config, theta: number, dim: number): number[] {
  const [factor, low, high, original] = [
    "factor",
    "low_freq_factor",
    "high_freq_factor",
    "original_max_position_embeddings",
  ].map((key) => rope[key] as number) as [number, number, number, number];
  return Array.from({ length: dim / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / dim);
    if (wavelength < original / high) return 1;
    if (wavelength > original / low) return factor;
    const smooth = (original / wavelength - low) / (high - low);
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

/** What a folder is as GGUF of an architecture. */
export async function folderAsGguf(folder: string, architecture: string): Promise<Uint8Array> {
  const source = await openFolder(folder);
  try {
    return await converted(source, architecture);
  } finally {
    await source.close();
  }
}

async function converted(source: LanguageSource, architecture: string): Promise<Uint8Array> {
  const { config } = source;
  const get = (...names: string[]): number =>
    names.map((name) => config[name]).find((value) => value !== undefined && value !== null) as number;
  const heads = get("num_attention_heads", "n_head");
  const hidden = get("hidden_size", "n_embd");
  const layers = get("num_hidden_layers", "n_layer");
  const kvHeads = get("num_key_value_heads") ?? heads;
  const dim = get("head_dim") ?? hidden / heads;
  const rope = { ...(config.rope_scaling as Config | null), ...(config.rope_parameters as Config | null) };
  const local = rope.sliding_attention as Config | undefined;
  const ropeOfAll: Config = (rope.full_attention as Config | undefined) ?? rope;
  const theta = (ropeOfAll.rope_theta as number | undefined) ?? get("rope_theta") ?? 10000;
  const type = (ropeOfAll.rope_type ?? ropeOfAll.type) as string | undefined;
  const key = (end: string) => `${architecture}.${end}`;
  const isLayerNorm = architecture === "gpt2";
  const partial = get("partial_rotary_factor") ?? 1;
  const types = config.layer_types as readonly string[] | undefined;
  const keys: Record<string, Value> = {
    "general.architecture": ["text", architecture],
    [key("context_length")]: ["u32", get("max_position_embeddings", "n_positions")],
    [key("embedding_length")]: ["u32", hidden],
    [key("block_count")]: ["u32", layers],
    [key("feed_forward_length")]: ["u32", get("intermediate_size") ?? 4 * hidden],
    [key("attention.head_count")]: ["u32", heads],
    [key(`attention.layer_norm_${isLayerNorm ? "" : "rms_"}epsilon`)]: [
      "f32",
      get("rms_norm_eps", "norm_eps", "layer_norm_epsilon"),
    ],
  };
  if (!isLayerNorm) {
    keys[key("attention.head_count_kv")] =
      architecture === "lfm2"
        ? ["list", "i32", types!.map((type) => (type === "conv" ? 0 : kvHeads))]
        : ["u32", kvHeads];
    keys[key("rope.freq_base")] = ["f32", theta];
    keys[key("rope.dimension_count")] = ["u32", Math.trunc(dim * partial)];
    keys[key("attention.key_length")] = keys[key("attention.value_length")] = ["u32", dim];
  }
  if (architecture === "lfm2") keys[key("shortconv.l_cache")] = ["u32", get("conv_L_cache")];
  if (/gemma[23]|phi3/.test(architecture) && get("sliding_window"))
    keys[key("attention.sliding_window")] = ["u32", get("sliding_window")];
  if (architecture === "gemma2") {
    keys[key("attn_logit_softcapping")] = ["f32", get("attn_logit_softcapping")];
    keys[key("final_logit_softcapping")] = ["f32", get("final_logit_softcapping")];
  }
  if (local) keys[key("rope.freq_base_swa")] = ["f32", local.rope_theta as number];
  if (architecture === "gemma3")
    keys[key("attention.sliding_window_pattern")] = [
      "list",
      "bool",
      types!.map((type) => type !== "full_attention"),
    ];
  const tensors: WrittenTensor[] = [];
  const vector = (name: string, values: readonly number[]) =>
    tensors.push({ name, shape: [values.length], type: 0, bytes: bytesOf(values) });
  if (type === "linear" || type === "yarn") {
    keys[key("rope.scaling.type")] = ["text", type];
    keys[key("rope.scaling.factor")] = ["f32", ropeOfAll.factor as number];
    if (ropeOfAll.original_max_position_embeddings !== undefined)
      keys[key("rope.scaling.original_context_length")] = [
        "u32",
        ropeOfAll.original_max_position_embeddings as number,
      ];
  }
  for (const beta of ["beta_fast", "beta_slow"])
    if (ropeOfAll[beta] !== undefined)
      keys[key(`rope.scaling.yarn_${beta}`)] = ["f32", ropeOfAll[beta] as number];
  if (type === "llama3") vector("rope_freqs.weight", llama3Factors(ropeOfAll, theta, dim));
  if (type === "longrope") {
    keys[key("rope.scaling.original_context_length")] = ["u32", get("original_max_position_embeddings")];
    vector("rope_factors_long.weight", ropeOfAll.long_factor as number[]);
    vector("rope_factors_short.weight", ropeOfAll.short_factor as number[]);
  }
  for (const [name, { shape }] of source.tensors) {
    let data = (await source.read(name)).data as Float32Array;
    let own = shape;
    const pairs =
      ["llama", "smollm3", "granite"].includes(architecture) && /self_attn\.([qk])_proj/.exec(name)?.[1];
    if (pairs) data = permuted(data, shape, pairs === "q" ? heads : kvHeads);
    if (/gemma/.test(architecture) && /norm\.weight$/.test(name)) data = data.map((w) => w + 1);
    if (name.endsWith("conv.conv.weight")) own = [shape[0]!, shape[2]!];
    if (isLayerNorm && /c_(attn|proj|fc)\.weight$/.test(name)) {
      const [rows, cols] = shape as [number, number];
      data = Float32Array.from(
        { length: rows * cols },
        (_, i) => data[(i % rows) * cols + Math.floor(i / rows)]!,
      );
      own = [cols, rows];
    }
    tensors.push({
      name: nameOf(name, /gemma[23]/.test(architecture)),
      shape: own,
      type: 0,
      bytes: bytesOf(data),
    });
  }
  return writeGguf({ keys, tensors });
}
