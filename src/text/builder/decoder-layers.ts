// What config.json says of each layer of a decoder: which tokens it sees, whether it rotates, and how its scores are scaled.

import type { DecoderFamily, OptionalSetting } from "./decoder-family";
import type { Settings } from "./settings";

/** One layer's part in a decoder. */
export interface LayerSettings {
  readonly kind: "attention" | "convolution";
  /** Which rotary embedding; undefined: none. */
  readonly rotary: "full_attention" | "sliding_attention" | undefined;
  /** Positions that a token sees, itself included; 0: all. */
  readonly window: number;
  /** Factor of scores. */
  readonly scale: number;
}

/** Where layers are listed, these say nothing. */
const PATTERN = ["sliding_window_pattern", "global_attn_every_n_layers"];

const isText = (value: unknown): value is string => typeof value === "string";
const isFlag = (value: unknown): value is number | boolean =>
  value === 0 || value === 1 || typeof value === "boolean";
const isAttentionKind = (value: unknown): value is string => value === "global" || value === "local";

/** The layers, first to last. Throws OctetteError "unsupported" that names a value octette does not know. */
export function decoderLayers(
  settings: Settings,
  family: DecoderFamily,
  count: number,
  headDim: number,
  hasAlibi: boolean,
): LayerSettings[] {
  const types = layerTypes(settings, family, count);
  const window = windowOf(settings, family, types);
  const scale = scaleOf(settings, family, headDim);
  const noRotary = settings.list("no_rope_layers", count, isFlag);
  const interval = settings.count("no_rope_layer_interval", 4);
  // Whether the file has a window at all, be there no layer that it is for.
  const hasWindows = !isNull(settings, "sliding_window");
  return types.map((type, i) => {
    const isSliding = type === "sliding_attention";
    const byFamily = {
      none: family.positions !== "learned" && family.positions !== "sinusoidal" && !hasAlibi,
      full: isSliding,
      "full-if-windows": isSliding || !hasWindows,
      no_rope_layers: noRotary ? Boolean(noRotary[i]) : (i + 1) % interval !== 0,
    };
    const isAttention = type !== "conv";
    return {
      kind: isAttention ? "attention" : "convolution",
      rotary:
        isAttention && byFamily[family.noRotary ?? "none"]
          ? isSliding
            ? "sliding_attention"
            : "full_attention"
          : undefined,
      window: isSliding ? window : 0,
      scale: scale(i),
    };
  });
}

/** What every layer is: full_attention, sliding_attention or conv. */
function layerTypes(settings: Settings, family: DecoderFamily, count: number): readonly string[] {
  // Granite calls attention to all tokens attention.
  const listed = settings
    .list("layer_types", count, isText)
    ?.map((type) => (type === "attention" ? "full_attention" : type));
  if (listed) settings.ignore(...PATTERN);
  const full = family.windows ? undefined : settings.value("full_attn_idxs");
  if (listed) {
    const unknown = listed.find((type) => !["full_attention", "sliding_attention", "conv"].includes(type));
    if (unknown !== undefined)
      throw settings.wrong("layer_types", "full_attention, sliding_attention or conv", unknown);
    const others = listed.find((type) => isOther(type, settings, family));
    if (others !== undefined) throw settings.wrong("layer_types", "layers of one kind", others);
    return listed;
  }
  if (Array.isArray(full))
    return Array.from({ length: count }, (_, i) => (full.includes(i) ? "full_attention" : "conv"));
  const attention = settings.list("attention_layers", count, isAttentionKind);
  const first = settings.count("max_window_layers", 28, 0);
  if (family.windows === "unused" && settings.flag("use_sliding_window", false))
    throw settings.wrong("use_sliding_window", "false, or layer_types", true);
  const isSliding = (i: number): boolean => {
    if (family.windows === "all") return true;
    if (family.windows === "even") return i % 2 === 0;
    if (family.windows === "max_window_layers") return i >= first;
    if (family.windows === "attention_layers") return attention ? attention[i] === "local" : i % 2 === 1;
    if (family.windows !== "pattern" && family.windows !== "first-full") return false;
    const every = family.patternName ? settings.count(family.patternName, family.pattern) : family.pattern!;
    return (family.windows === "pattern" ? i + 1 : i) % every !== 0;
  };
  return Array.from({ length: count }, (_, i) => (isSliding(i) ? "sliding_attention" : "full_attention"));
}

/** Whether a listed layer is not what all layers of a family are that lists none. */
function isOther(type: string, settings: Settings, family: DecoderFamily): boolean {
  if (family.windows === undefined) return type === "sliding_attention";
  if (!family.hasLikeLayers) return false;
  const window = isNull(settings, "sliding_window")
    ? undefined
    : (settings.value("sliding_window") ?? family.window);
  return window !== undefined && type !== "sliding_attention";
}

const isNull = (settings: Settings, name: string): boolean =>
  settings.says(name) && settings.value(name) === undefined;

/** The window of layers that have one; 0 where none has. */
function windowOf(settings: Settings, family: DecoderFamily, types: readonly string[]): number {
  const mayUse = family.windows === "max_window_layers" || family.windows === "unused";
  const isSaid = settings.flag("use_sliding_window", !mayUse);
  // SmolLM 3 asks for it only where it makes the list itself.
  const isUsed = isSaid || family.windows === "unused";
  // Only families whose windows it turns on read it.
  const hasWindow = !isNull(settings, "sliding_window") && types.includes("sliding_attention");
  if (!isUsed && !mayUse && hasWindow) throw settings.wrong("use_sliding_window", "true", false);
  settings.ignore("window_size");
  if (family.isWindowHalved) {
    const half = Math.floor(settings.count("local_attention", 2 * family.window!, 2) / 2);
    return settings.count("sliding_window", half);
  }
  if (!isUsed || isNull(settings, "sliding_window") || !types.includes("sliding_attention")) {
    settings.value("sliding_window");
    return 0;
  }
  if (family.window === undefined && settings.value("sliding_window") === undefined) return 0;
  return settings.count(["sliding_window", "window_size"], family.window);
}

/** The factor of scores in each layer. */
function scaleOf(settings: Settings, family: DecoderFamily, headDim: number): (layer: number) => number {
  const scalar = settings.positive("query_pre_attn_scalar", 256);
  const { attentionScale } = family;
  const isMultiplied = attentionScale === "attention_multiplier";
  const isNamed = isMultiplied || attentionScale === "softmax_scale";
  const multiplier = settings.number(
    isNamed ? attentionScale : "attention_multiplier",
    isMultiplied ? 1 : 1 / Math.sqrt(headDim),
  );
  const flag = (name: OptionalSetting, otherwise: boolean) =>
    family.reads?.includes(name) ? settings.flag(name, otherwise) : otherwise;
  const isScaled = flag("scale_attn_weights", attentionScale !== "none");
  const byLayer = flag("scale_attn_by_inverse_layer_idx", false);
  if (isNamed || attentionScale === "attention_multiplier, else size") return () => multiplier;
  if (attentionScale === "query_pre_attn_scalar") return () => 1 / Math.sqrt(scalar);
  return (layer) => (isScaled ? 1 / Math.sqrt(headDim) : 1) / (byLayer ? layer + 1 : 1);
}
