// What config.json says of an encoder.

import { MAX_PARTS } from "../../formats/language-limits";
import { checkActivation } from "./activations";
import { type Disentangled, disentangledOf } from "./disentangled";
import type { EncoderFamily } from "./encoder-families";
import { type Buckets, bucketsOf } from "./relative-bias";
import { type Rotary, rotaryOf } from "./rotary";
import { MAX_DISTANCES, MAX_TABLE, type Settings } from "./settings";
import type { NormSettings } from "./writer";

export type EncoderLayer = "full_attention" | "sliding_attention";

export interface EncoderSettings {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly heads: number;
  readonly headDim: number;
  /** Rows of the table of positions. */
  readonly positions: number;
  /** Most tokens of a text. */
  readonly mostTokens: number;
  /** Row of the first token. */
  readonly firstPosition: number;
  readonly norm: NormSettings;
  readonly layers: readonly EncoderLayer[];
  /** Tokens on either side that a token of a layer with windows sees. */
  readonly reach: number;
  readonly rotary: ReadonlyMap<string, Rotary>;
  /** Whether values rotate as queries and keys do. */
  readonly rotatesValues: boolean;
  /** How distances have a number added to scores; undefined: they have none. */
  readonly relativeBias: Buckets | undefined;
  readonly disentangled: Disentangled | undefined;
  /** The token whose embedding is left out, for which the others grow; undefined: none is. */
  readonly droppedToken: number | undefined;
  readonly activation: string;
  /** Function between the layers of a head. */
  readonly headActivation: string;
  /** What a head of classes reads: the first token, the mean of all; "late": all, and its logits are the mean of theirs. */
  readonly classPooling: "cls" | "mean" | "late";
  /** Names of classes, where the file has them. */
  readonly labels: readonly string[] | undefined;
  /** What the first of `architectures` ends with, such as "MaskedLM"; "" for a model without a head. */
  readonly architecture: string;
  /** Whether a head that predicts tokens has the table of tokens as its weights. */
  readonly isTied: boolean;
  /** Types of tokens that a setting says there are. */
  readonly types: number;
  /** What a setting says of biases of q, k and v. */
  readonly hasBias: boolean | undefined;
  readonly family: EncoderFamily;
}

const BIAS = ["attention_bias", "use_bias"];
/** Lengths that files say; the first counts. */
const POSITIONS = ["max_position_embeddings", "n_positions"];
const EPSILON = ["rms_norm_eps", "layer_norm_eps", "norm_eps", "layer_norm_epsilon"];

const isLayer = (value: unknown): value is EncoderLayer =>
  value === "full_attention" || value === "sliding_attention";

/** Reads the settings of an encoder. Throws OctetteError "unsupported" that names a value octette does not know. */
export function encoderSettings(settings: Settings, family: EncoderFamily): EncoderSettings {
  const hidden = settings.count(["hidden_size", "dim", "d_model"]);
  const heads = settings.count(["num_attention_heads", "n_heads", "num_heads"], undefined, 1, MAX_PARTS);
  const own = ["head_dim", "attention_head_size", "d_kv"];
  if (hidden % heads !== 0 && settings.value(own) === undefined)
    throw settings.wrong("num_attention_heads", `a divisor of ${hidden}`, heads);
  const headDim = settings.count(own, hidden / heads, 1, MAX_PARTS);
  if (settings.count("num_key_value_heads", heads) !== heads)
    throw settings.wrong("num_key_value_heads", `${heads}`, settings.value("num_key_value_heads"));
  // Of distances a table is made, which no tensor bounds.
  const mostRows = family.relativeBias || family.disentangled ? MAX_DISTANCES : MAX_TABLE;
  settings.ignore(...POSITIONS);
  const positionsName = POSITIONS.find((name) => settings.value(name) !== undefined) ?? POSITIONS[0]!;
  const positions = settings.count(positionsName, 512, 1, mostRows);
  const layers = layersOf(settings, family);
  const local = settings.count("local_attention", 128);
  const context = { headDim, maxPositions: positions, length: undefined, family };
  const kinds = family.theta === undefined ? [] : [...new Set(layers)];
  if (family.isRotaryNamed && settings.text("position_embedding_type", "absolute") !== "rotary")
    throw settings.wrong("position_embedding_type", "rotary", "absolute");
  const activation = activationOf(settings, family);
  const pooling = settings.text("classifier_pooling", "cls");
  // Of a pair's encoder.
  if (family.tables) settings.value("is_encoder_decoder");
  const vocabulary = settings.count("vocab_size");
  const firstPosition = family.positionsAfterPadding
    ? settings.count("pad_token_id", 1, 0) + 1
    : (family.firstPosition ?? 0);
  return {
    vocabulary,
    hidden,
    heads,
    headDim,
    positions,
    mostTokens: Math.min(positions - firstPosition, family.hasBlocks ? wholeTexts(settings) : Infinity),
    firstPosition,
    norm: {
      kind: family.norm ?? "layer",
      epsilon: epsilonOf(settings, family),
      offset: 0,
    },
    layers,
    reach: Math.floor(local / 2),
    rotary: new Map(kinds.map((kind) => [kind, rotaryOf(settings, kind, context)])),
    relativeBias: family.relativeBias && bucketsOf(settings, family.relativeBias === "fixed"),
    disentangled: family.disentangled && disentangledOf(settings, family.disentangled, positions),
    rotatesValues: family.mayRotateValues === true && settings.flag("rotary_value", false),
    droppedToken: settings.flag("token_dropout", false)
      ? settings.count("mask_token_id", undefined, 0, vocabulary - 1)
      : undefined,
    activation,
    headActivation: checkActivation(
      settings.text("classifier_activation", family.headActivation ?? activation),
      settings.where,
    ),
    classPooling: poolingOf(pooling, settings),
    labels: labelsOf(settings),
    architecture: architectureOf(settings),
    isTied: settings.flag("tie_word_embeddings", !family.isUntied),
    types: settings.count("type_vocab_size", 0, 0),
    hasBias: settings.value(BIAS) === undefined ? undefined : settings.flag(BIAS, false),
    family,
  };
}

function epsilonOf(settings: Settings, { epsilon = 1e-12, hasOwnEpsilon }: EncoderFamily): number {
  const own = settings.positive(EPSILON, epsilon);
  if (!hasOwnEpsilon || own === epsilon) return own;
  throw settings.wrong(EPSILON, `${epsilon}, whatever a file says`, own);
}

/** Most tokens of a text that BigBird does not see in blocks. */
function wholeTexts(settings: Settings): number {
  const [size, random] = [settings.count("block_size", 64), settings.count("num_random_blocks", 3, 0)];
  const type = settings.text("attention_type", "block_sparse");
  if (type === "original_full") return Infinity;
  if (type === "block_sparse") return (5 + 2 * random) * size;
  throw settings.wrong("attention_type", "original_full or block_sparse", type);
}

/** T5 says gated-gelu of what is gelu_new. */
function activationOf(settings: Settings, { activation, onlyActivation }: EncoderFamily): string {
  const names = ["hidden_activation", "hidden_act", "activation", "feed_forward_proj"];
  const name = settings.text(names, activation ?? "gelu");
  const own = name === "gated-gelu" ? "gelu_new" : name.replace(/^gated-/, "");
  // What T5 makes of it, where files say both.
  const known = checkActivation(own, settings.where);
  const made = settings.text("dense_act_fn", own);
  if (made !== own) throw settings.wrong("dense_act_fn", own, made);
  return onlyActivation ?? known;
}

function poolingOf(name: string, settings: Settings): EncoderSettings["classPooling"] {
  if (name === "cls" || name === "mean" || name === "late") return name;
  if (name === "bos") return "cls";
  throw settings.wrong("classifier_pooling", "cls, bos, mean or late", name);
}

function layersOf(settings: Settings, { fullEvery, isShared }: EncoderFamily): EncoderLayer[] {
  const count = settings.count(["num_hidden_layers", "n_layers", "num_layers"], undefined, 1, MAX_PARTS);
  const listed = fullEvery && settings.list("layer_types", count, isLayer);
  const every = fullEvery ? settings.count("global_attn_every_n_layers", fullEvery) : 1;
  for (const name of ["num_hidden_groups", "inner_group_num"] as const)
    if (isShared && settings.count(name, 1) !== 1) throw settings.wrong(name, "1", settings.value(name));
  if (listed) return [...listed];
  return Array.from({ length: count }, (_, i) => (i % every === 0 ? "full_attention" : "sliding_attention"));
}

function labelsOf(settings: Settings): readonly string[] | undefined {
  const labels = settings.value("id2label");
  if (typeof labels !== "object" || labels === null) return undefined;
  return Object.entries(labels)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, label]) => String(label));
}

function architectureOf(settings: Settings): string {
  const all = settings.value("architectures");
  const first = Array.isArray(all) ? String(all[0] ?? "") : "";
  return /For([A-Z]\w*)$/.exec(first)?.[1] ?? "";
}
