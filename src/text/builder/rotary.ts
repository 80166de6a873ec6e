// Frequencies of rotary embeddings, as Hugging Face's settings of both generations describe them: Su et al. 2021 (arXiv:2104.09864),
// linear scaling, dynamic NTK, Llama 3, YaRN (Peng et al. 2023, arXiv:2309.00071), LongRoPE (Ding et al. 2024, arXiv:2402.13753).

import { portableExp, portableLog } from "../../portable-math";
import { type LayerType, RopeParameters } from "./rope-parameters";
import { MAX_TABLE, type Settings } from "./settings";

/** Most elements of a head that rotate: a hostile file could ask for more than memory holds. */
const MAX_ROTATING = 2 ** 16;

/** How heads rotate. */
export interface Rotary {
  /** One a pair of elements. */
  readonly frequencies: Float32Array;
  /** Factor of cosines and sines. */
  readonly scale: number;
  /** Positions for which its scaling was made, where that is more than max_position_embeddings says. */
  readonly reach: number;
  /** Most positions for which these frequencies are right, where others are for longer texts. */
  readonly limit: number;
  /** Factors of queries by their position, where those of a text as long differ. */
  readonly queries?: Float32Array;
}

/** What is known before the rotary settings are read. */
export interface RotaryContext {
  readonly headDim: number;
  readonly maxPositions: number;
  /** Tokens that a text will have, where the frequencies depend on it; as short as may be where left out. */
  readonly length: number | undefined;
  readonly family: RotaryFamily;
}

/** What a family means by its rotary settings. */
export interface RotaryFamily {
  /** The base, where a file does not say it; default 10000. */
  readonly theta?: number;
  /** The setting that says it; default rope_theta. */
  readonly thetaName?: string;
  /** The base of layers with windows, when it differs. */
  readonly localTheta?: number;
  /** The setting that says it; left out: none does. */
  readonly localThetaName?: string;
  /** rope_scaling is for layers with windows that have a base of their own, too. */
  readonly scalesWindows?: true;
  /** Share of a head that rotates, where a file does not say it. Left out: heads rotate whole. */
  readonly partial?: number;
  /** The setting that says it; default partial_rotary_factor. */
  readonly shareName?: string;
  /** Elements of a head that rotate are what rotary_dim says, by the base 10000. */
  readonly rotatesByCount?: true;
  /** Queries grow with their position beyond the length that the model was first trained on, as rope_parameters say. */
  readonly growsQueries?: true;
}

/** The rotary settings of a layer type. */
export function rotaryOf(settings: Settings, type: LayerType, context: RotaryContext): Rotary {
  const { family } = context;
  if (family.rotatesByCount) return rotaryByCount(settings, context);
  const { thetaName = "rope_theta", localThetaName, shareName = "partial_rotary_factor" } = family;
  const isLocal = type === "sliding_attention" && family.localTheta !== undefined;
  const theta = settings.number(thetaName, family.theta ?? 10000);
  const local = localThetaName ? settings.number(localThetaName, family.localTheta) : family.localTheta;
  agree(settings, thetaName === "rope_theta" ? "rotary_emb_base" : "rope_theta", theta);
  const partial = settings.number(shareName, family.partial ?? 1);
  const reader = new RopeParameters(settings, type, family);
  const share = reader.number("partial_rotary_factor", partial);
  if (family.partial === undefined && share !== 1) throw settings.wrong(shareName, "1", share);
  agree(settings, shareName === "rotary_pct" ? "partial_rotary_factor" : "rotary_pct", share);
  const base = reader.number("rope_theta", isLocal ? local : theta);
  const dim = Math.trunc(context.headDim * share);
  const most = Math.min(context.headDim, MAX_ROTATING);
  if (dim % 2 !== 0 || dim < 2 || dim > most || base <= 1)
    throw settings.wrong(
      "rope_parameters",
      `an even number of rotating elements up to ${most}, and a base above 1`,
      `${dim}, ${base}`,
    );
  const kind = reader.kind();
  const make = Object.hasOwn(kinds, kind) ? kinds[kind]! : undefined;
  if (!make) throw settings.wrong("rope_parameters", `rope_type ${Object.keys(kinds).join(", ")}`, kind);
  const {
    inverse,
    scale = 1,
    reach = 0,
    limit = Infinity,
  } = make({
    reader,
    dim,
    base,
    settings,
    context,
  });
  const growth = family.growsQueries ? queryGrowth(settings, reader, context) : { limit };
  reader.finish();
  return {
    frequencies: Float32Array.from(inverse),
    scale,
    reach: Math.floor(reach),
    ...growth,
    limit: Math.min(limit, growth.limit),
  };
}

function rotaryByCount(settings: Settings, { headDim }: RotaryContext): Rotary {
  const most = Math.min(headDim, MAX_ROTATING);
  const dim = settings.count("rotary_dim", 64, 2, most);
  if (dim % 2 !== 0) throw settings.wrong("rotary_dim", `an even number up to ${most}`, dim);
  return { frequencies: Float32Array.from(inverseOf(10000, dim)), scale: 1, reach: 0, limit: Infinity };
}

/** Files may say a number by the name of other families, too. */
function agree(settings: Settings, otherName: string, number: number): void {
  const other = settings.number(otherName, number);
  if (other !== number) throw settings.wrong(otherName, `${number}`, other);
}

/** 1 + β · log(1 + ⌊position / original⌋), as Llama 4 has it: 1 for all positions of a text no longer than the original length. */
function queryGrowth(
  settings: Settings,
  reader: RopeParameters,
  { length = 0 }: RotaryContext,
): Pick<Rotary, "limit" | "queries"> {
  const beta = reader.number("llama_4_scaling_beta");
  const original = reader.positive("original_max_position_embeddings");
  agree(settings, "original_max_position_embeddings", original);
  reader.optional("max_position_embeddings");
  if (length <= original) return { limit: original };
  const factor = (position: number) => 1 + beta * portableLog(1 + Math.floor(position / original));
  // At least as many as a window has that models are quantized by.
  const count = Math.min(Math.max(length, 256), MAX_TABLE);
  return { limit: MAX_TABLE, queries: Float32Array.from({ length: count }, (_, i) => factor(i)) };
}

interface Making {
  readonly reader: RopeParameters;
  readonly dim: number;
  readonly base: number;
  readonly settings: Settings;
  readonly context: RotaryContext;
}

interface Made {
  readonly inverse: readonly number[];
  readonly scale?: number;
  readonly reach?: number;
  readonly limit?: number;
}

/** base^exponent, the same on every engine. */
const power = (base: number, exponent: number): number => portableExp(exponent * portableLog(base));

/** 1 / base^(2i / dim). */
const inverseOf = (base: number, dim: number): number[] =>
  Array.from({ length: dim / 2 }, (_, i) => 1 / power(base, (2 * i) / dim));

/** The length that a model was first trained for. */
const originalOf = ({ reader, settings, context }: Making): number =>
  settings.count(
    "original_max_position_embeddings",
    reader.optional("original_max_position_embeddings") ?? context.maxPositions,
  );

const kinds: Readonly<Record<string, (making: Making) => Made>> = {
  default: ({ base, dim }) => ({ inverse: inverseOf(base, dim) }),

  linear({ reader, base, dim }) {
    const factor = reader.positive("factor");
    return { inverse: inverseOf(base, dim).map((f) => f / factor) };
  },

  dynamic({ reader, base, dim, context: { length = 0, maxPositions } }) {
    const factor = reader.positive("factor");
    const most = Math.max(length, maxPositions);
    const stretch = (factor * most) / maxPositions - (factor - 1);
    const inverse = inverseOf(base * power(stretch, dim / (dim - 2)), dim);
    return { inverse, reach: factor * maxPositions, limit: most };
  },

  llama3(making) {
    const { reader, base, dim } = making;
    const factor = reader.positive("factor");
    const low = reader.positive("low_freq_factor");
    const high = reader.positive("high_freq_factor");
    const original = originalOf(making);
    const inverse = inverseOf(base, dim).map((f) => {
      const turns = (original * f) / (2 * Math.PI);
      if (turns > high) return f;
      if (turns < low) return f / factor;
      const smooth = (turns - low) / (high - low);
      return ((1 - smooth) * f) / factor + smooth * f;
    });
    return { inverse };
  },

  yarn(making) {
    const { reader, base, dim, context } = making;
    const original = originalOf(making);
    const factor = reader.positive("factor", context.maxPositions / original);
    const [fast, slow] = [reader.positive("beta_fast", 32), reader.positive("beta_slow", 1)];
    const [mscale, all] = [reader.optional("mscale"), reader.optional("mscale_all_dim")];
    const growth = (by = 1) => (factor <= 1 ? 1 : 0.1 * by * portableLog(factor) + 1);
    const scale =
      reader.optional("attention_factor") ?? (mscale && all ? growth(mscale) / growth(all) : growth());
    const turning = (turns: number) =>
      (dim * portableLog(original / (turns * 2 * Math.PI))) / (2 * portableLog(base));
    const isWhole = reader.flag("truncate", true);
    const low = Math.max(isWhole ? Math.floor(turning(fast)) : turning(fast), 0);
    const high = Math.min(isWhole ? Math.ceil(turning(slow)) : turning(slow), dim - 1);
    const span = high === low ? 0.001 : high - low;
    const inverse = inverseOf(base, dim).map((f, i) => {
      const ramp = Math.min(Math.max((i - low) / span, 0), 1);
      return (f / factor) * ramp + f * (1 - ramp);
    });
    return { inverse, scale, reach: factor * original };
  },

  longrope(making) {
    const { reader, base, dim, context } = making;
    const original = originalOf(making);
    const factor = reader.positive("factor", context.maxPositions / original);
    const [short, long] = [reader.numbers("short_factor", dim / 2), reader.numbers("long_factor", dim / 2)];
    const isLong = (context.length ?? 0) > original;
    const factors = isLong ? long : short;
    const growth = factor <= 1 ? 1 : Math.sqrt(1 + portableLog(factor) / portableLog(original));
    const scale = reader.optional("attention_factor") ?? growth;
    const inverse = inverseOf(base, dim).map((f, i) => f / factors[i]!);
    return { inverse, scale, ...(!isLong && { limit: original }) };
  },
};
