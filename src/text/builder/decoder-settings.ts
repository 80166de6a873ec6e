// What config.json says of a decoder, with what its family means by it: numbers and switches that no later step has to look up.

import { MAX_PARTS } from "../../formats/language-limits";
import { activations, checkActivation } from "./activations";
import { type Alibi, alibiOf } from "./alibi";
import type { DecoderFamily, OptionalSetting } from "./decoder-family";
import { decoderLayers, type LayerSettings } from "./decoder-layers";
import { type Rotary, type RotaryContext, rotaryOf } from "./rotary";
import type { Settings } from "./settings";
import type { NormSettings } from "./writer";

export interface DecoderSettings {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly maxPositions: number;
  readonly norm: NormSettings;
  readonly layers: readonly LayerSettings[];
  readonly rotary: ReadonlyMap<string, Rotary>;
  readonly alibi: Alibi | undefined;
  readonly activation: string;
  /** Function of the layer before that of logits, where there is one. */
  readonly headActivation: string;
  readonly isParallel: boolean;
  readonly isTied: boolean;
  readonly isPostNorm: boolean;
  readonly embeddingScale: number;
  readonly residualScale: number;
  readonly logitScale: number;
  readonly attentionCap: number;
  readonly logitCap: number;
  /** Bound of q, k and v; 0: none. */
  readonly clip: number;
  /** Elements of a short convolution's kernel. */
  readonly kernel: number;
  /** Whether one tensor holds the rows of q, k and v key head by key head, as Falcon does. */
  readonly isGrouped: boolean;
  /** Whether q and k are normalized; undefined: where there are tensors. */
  readonly hasHeadNorms: boolean | undefined;
  /** Whether norms follow attention and feed-forward, before their residual sums. */
  readonly hasPostNorms: boolean;
  /** What settings say of biases, where they do: tensors decide, and must not contradict. */
  readonly hasBias: { readonly attention: boolean | undefined; readonly feedForward: boolean | undefined };
  readonly family: DecoderFamily;
  /** A run reads a whole text, without a cache; whether tokens see those before them alone. Undefined: a run goes on from those before. */
  readonly wholeTexts?: { readonly isCausal: boolean };
}

const HIDDEN = ["hidden_size", "n_embd", "n_embed", "d_model"];
const LAYERS = ["num_hidden_layers", "n_layer", "num_layers", "n_layers"];
const HEADS = ["num_attention_heads", "n_head", "num_heads", "attention_heads", "n_heads"];
const POSITIONS = ["max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length"];
const EPSILON = ["rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_eps", "norm_epsilon"];
const ACTIVATION = ["hidden_activation", "hidden_act", "activation_function", "activation", "afn"];

/** Reads the settings of a decoder. Throws OctetteError "unsupported" that names a value octette does not know. */
export function decoderSettings(
  settings: Settings,
  family: DecoderFamily,
  length: number | undefined,
): DecoderSettings {
  const hidden = settings.count(HIDDEN);
  const count = settings.count(LAYERS, undefined, 1, MAX_PARTS);
  const heads = settings.count(HEADS, undefined, 1, MAX_PARTS);
  const headDim = headDimOf(settings, family, hidden, heads);
  const kvHeads = kvHeadsOf(settings, family, heads);
  if (heads % kvHeads !== 0) throw settings.wrong("num_key_value_heads", `a divisor of ${heads}`, kvHeads);
  // Some files say lengths of several kinds: the first counts.
  settings.ignore(...POSITIONS);
  const positionsName = POSITIONS.find((name) => settings.value(name) !== undefined) ?? POSITIONS[0]!;
  const maxPositions = settings.count(positionsName, family.norm === "layer" ? 2048 : 4096);
  settings.value("is_decoder");
  const own = (name: OptionalSetting, otherwise: number) =>
    family.reads?.includes(name) ? settings.number(name, otherwise) : otherwise;
  // From the first rate to the last there are as many steps as rates, less one.
  if (family.positions === "sinusoidal" && (hidden % 2 !== 0 || hidden < 4 || hidden > MAX_PARTS))
    throw settings.wrong(HIDDEN, `an even number from 4 to ${MAX_PARTS}`, hidden);
  const alibi = alibiOf(settings, family, heads, maxPositions, POSITIONS);
  const layers = decoderLayers(settings, family, count, headDim, alibi !== undefined);
  const type = family.isRotaryNamed ? settings.value("position_embedding_type") : "rope";
  if (type !== "rope") throw settings.wrong("position_embedding_type", "rope", type);
  if (
    family.needsRotary &&
    ["rope_parameters", "rope_scaling"].every((name) => settings.value(name) === undefined)
  )
    throw settings.wrong("rope_parameters", "an object", undefined);
  const context: RotaryContext = { headDim, maxPositions, length, family };
  const kinds = new Set(layers.flatMap(({ rotary }) => rotary ?? []));
  // Of a model without a layer that rotates, they are read as well.
  if (kinds.size === 0 && family.noRotary) rotaryOf(settings, "full_attention", context);
  return {
    vocabulary: settings.count("vocab_size"),
    hidden,
    heads,
    kvHeads,
    headDim,
    maxPositions,
    norm: {
      kind: family.norm ?? "rms",
      epsilon: epsilonOf(settings, family),
      offset: family.normOffset ? 1 : 0,
    },
    layers,
    rotary: new Map([...kinds].map((kind) => [kind, turned(rotaryOf(settings, kind, context), family)])),
    alibi,
    activation: activationOf(settings, family),
    isParallel:
      family.parallel === "setting"
        ? settings.flag(["use_parallel_residual", "parallel_attn"], !family.isSerial)
        : family.parallel === true,
    isTied: settings.flag(["tie_embedding", "tie_word_embeddings"], family.tied === true),
    isPostNorm:
      family.postNorm === true ||
      (hasSetting(family, "do_layer_norm_before") && !settings.flag("do_layer_norm_before", true)),
    embeddingScale: embeddingScaleOf(settings, family, hidden),
    residualScale: own("residual_multiplier", 1),
    logitScale: logitScaleOf(settings, family),
    attentionCap: family.attentionCap ? capOf(settings, "attn_logit_softcapping", family.attentionCap) : 0,
    logitCap: hasSetting(family, "final_logit_softcapping")
      ? capOf(settings, "final_logit_softcapping", family.logitCap)
      : (family.logitCap ?? 0),
    clip: own("clip_qkv", 0),
    kernel: settings.count("conv_L_cache", 3, 1, MAX_PARTS),
    isGrouped: settings.flag("new_decoder_architecture", false),
    headActivation: checkActivation(settings.text("classifier_activation", "gelu"), settings.where),
    hasHeadNorms:
      family.headNorms ??
      (family.plainNorm ? undefined : optionalFlag(settings, ["use_qk_norm", "qk_layernorm"])),
    hasPostNorms: settings.flag("use_post_norm", false),
    hasBias: {
      attention:
        family.hasBiases ??
        optionalFlag(settings, ["attention_bias", "use_qkv_bias", "use_bias", "bias", "enable_bias"]),
      feedForward: optionalFlag(settings, ["mlp_bias", "use_bias", "bias", "enable_bias"]),
    },
    family,
  };
}

const hasSetting = ({ reads }: DecoderFamily, name: OptionalSetting): boolean =>
  reads?.includes(name) === true;

function epsilonOf(
  settings: Settings,
  { epsilon = 1e-6, hasOwnEpsilon, onlyEpsilon }: DecoderFamily,
): number {
  const said = settings.positive(EPSILON, epsilon);
  if (onlyEpsilon && Math.fround(said) !== Math.fround(epsilon))
    throw settings.wrong(EPSILON, `${epsilon}`, said);
  return hasOwnEpsilon ? epsilon : said;
}

function logitScaleOf(settings: Settings, family: DecoderFamily): number {
  const { logitScale = 1, isLogitFactor } = family;
  const scale = hasSetting(family, "logit_scale") ? settings.number("logit_scale", logitScale) : logitScale;
  const scaling = hasSetting(family, "logits_scaling") ? settings.positive("logits_scaling", 1) : 1;
  return isLogitFactor ? scale * scaling : scale / scaling;
}

const turned = (rotary: Rotary, { isReversed }: DecoderFamily): Rotary =>
  isReversed ? { ...rotary, frequencies: rotary.frequencies.map((frequency) => -frequency) } : rotary;

const optionalFlag = (settings: Settings, names: readonly string[]): boolean | undefined =>
  settings.value(names) === undefined ? undefined : settings.flag(names, false);

function headDimOf(settings: Settings, family: DecoderFamily, hidden: number, heads: number): number {
  const isNull = settings.says("head_dim") && settings.value("head_dim") === undefined;
  const own = isNull
    ? undefined
    : settings.value("head_dim") === undefined
      ? family.headDim
      : settings.count("head_dim");
  if (own === undefined && hidden % heads !== 0)
    throw settings.wrong(HEADS, `a divisor of hidden_size ${hidden}`, heads);
  const size = own ?? hidden / heads;
  if (size > MAX_PARTS) throw settings.wrong("head_dim", `at most ${MAX_PARTS}`, size);
  return size;
}

function kvHeadsOf(settings: Settings, family: DecoderFamily, heads: number): number {
  const isMultiQuery = settings.flag("multi_query", family.fused === "falcon" || family.fused === "bigcode");
  const grouped = settings.count("num_kv_heads", heads);
  const isGrouped = settings.flag("new_decoder_architecture", false);
  const named = settings.value("num_key_value_heads");
  if (family.fused === "falcon" && isGrouped) return grouped;
  if (family.fused === "falcon" || family.fused === "bigcode") return isMultiQuery ? 1 : heads;
  if (family.kvHeads === "heads") return heads;
  const isNull = settings.says("num_key_value_heads") && named === undefined;
  return settings.count("num_key_value_heads", isNull ? heads : (family.kvHeads ?? heads));
}

/** Names of gated layers, by the function of their gates. */
const ALIASES: Readonly<Record<string, string>> = { swiglu: "silu" };

function activationOf(settings: Settings, family: DecoderFamily): string {
  const otherwise = family.activation ?? "silu";
  // A function with numbers of its own, which only files of this family have.
  if (otherwise === "xielu" && settings.text(ACTIVATION, otherwise) === otherwise) return otherwise;
  const said = ACTIVATION.filter((name) => settings.value(name) !== undefined);
  // What the first files of GPT and Gemma call gelu is the approximation by tanh.
  const alias = family.isGeluTanh ? { ...ALIASES, gelu: "gelu_new" } : ALIASES;
  const own = (name: string) =>
    checkActivation(Object.hasOwn(alias, name) ? alias[name]! : name, settings.where);
  const [first = own(otherwise), ...others] = said.map((name) => own(settings.text(name)));
  const expected = family.onlyActivation ? own(otherwise) : first;
  for (const [i, name] of [first, ...others].entries())
    if (activations[name] !== activations[expected]) throw settings.wrong(said[i]!, expected, name);
  return first;
}

function embeddingScaleOf(settings: Settings, family: DecoderFamily, hidden: number): number {
  const isSaid = hasSetting(family, "scale_embedding");
  const isScaled = isSaid
    ? settings.flag("scale_embedding", family.embeddingScale === true)
    : family.embeddingScale;
  const factor = hasSetting(family, "embedding_multiplier") ? settings.number("embedding_multiplier", 1) : 1;
  return (isScaled ? Math.sqrt(hidden) : 1) * factor;
}

/** A soft cap; null in a file turns it off. */
function capOf(settings: Settings, name: string, otherwise = 0): number {
  if (settings.says(name) && settings.value(name) === undefined) return 0;
  const cap = settings.number(name, otherwise);
  if (cap >= 0) return cap;
  throw settings.wrong(name, "a number above 0", cap);
}
