// How the next token is chosen: a caller's options, with defaults from the model's generation_config.json.

import { OctetteError } from "../../errors";
import type { Names } from "../../options";

/** Ways to choose the next token. What is left out is as generation_config.json of the model says; without one it does nothing. */
export interface SamplingOptions {
  /**
   * Divides the logits that are left before one is drawn: below 1 likely tokens gain. 0 takes the most likely token, always.
   * Default: 0, or the value in generation_config.json (1 when it only has do_sample).
   */
  readonly temperature?: number | undefined;
  /** Draws among this many of the most likely tokens only; 0: all. Default 0. */
  readonly topK?: number | undefined;
  /** Draws among the most likely tokens that together have this probability; 1: all. Default 1. */
  readonly topP?: number | undefined;
  /** Leaves out tokens less likely than this share of the most likely one; 0: none. Default 0. */
  readonly minP?: number | undefined;
  /** Typical sampling: draws among the tokens whose surprise is nearest to its expectation, up to this probability. Default 1: all tokens. */
  readonly typicalP?: number | undefined;
  /** Divides positive logits of tokens that the session has, and multiplies negative ones; 1: none. Default 1. */
  readonly repetitionPenalty?: number | undefined;
  /** Taken from the logit of every token that this call has generated; default 0. */
  readonly presencePenalty?: number | undefined;
  /** Taken from a token's logit each time that this call has generated it; default 0. */
  readonly frequencyPenalty?: number | undefined;
  /** Added to the logits of tokens, by their ids: −Infinity forbids one. Default: none. */
  readonly logitBias?: Readonly<Record<number, number>> | ReadonlyMap<number, number> | undefined;
  /** Of the random numbers, a whole number: the same seed draws the same tokens on every engine. Default 0. */
  readonly seed?: number | undefined;
}

export const SAMPLING = {
  temperature: 1,
  topK: 1,
  topP: 1,
  minP: 1,
  typicalP: 1,
  repetitionPenalty: 1,
  presencePenalty: 1,
  frequencyPenalty: 1,
  logitBias: 1,
  seed: 1,
} satisfies Names<SamplingOptions>;

/** Every option with its value. */
export interface Sampling extends Required<Omit<SamplingOptions, "logitBias">> {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly typicalP: number;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly seed: number;
  readonly logitBias: ReadonlyMap<number, number>;
}

type NumberName = Exclude<keyof SamplingOptions, "logitBias">;

const NONE: Readonly<Record<NumberName, number>> = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  typicalP: 1,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  seed: 0,
};

/** What each number may be. */
const RULES: Readonly<Record<NumberName, readonly [what: string, fits: (value: number) => boolean]>> = {
  temperature: ["a number from 0", (value) => value >= 0 && value < Infinity],
  topK: ["a whole number from 0", (value) => Number.isSafeInteger(value) && value >= 0],
  topP: ["a number above 0, at most 1", (value) => value > 0 && value <= 1],
  minP: ["a number from 0 to 1", (value) => value >= 0 && value <= 1],
  typicalP: ["a number above 0, at most 1", (value) => value > 0 && value <= 1],
  repetitionPenalty: ["a number above 0", (value) => value > 0 && value < Infinity],
  presencePenalty: ["a number", Number.isFinite],
  frequencyPenalty: ["a number", Number.isFinite],
  seed: ["a whole number from 0 to 2^32 − 1", (value) => Number.isInteger(value) && value >>> 0 === value],
};

/** The names that generation_config.json has for them. */
const CONFIGURED: Readonly<Record<string, NumberName>> = {
  top_k: "topK",
  top_p: "topP",
  min_p: "minP",
  typical_p: "typicalP",
  repetition_penalty: "repetitionPenalty",
};

/** What a model's generation_config.json says, as far as it fits. */
export function configuredSampling(config: Readonly<Record<string, unknown>> = {}): SamplingOptions {
  const found: Partial<Record<NumberName, number>> = {};
  for (const [key, name] of Object.entries(CONFIGURED)) {
    const value = config[key];
    if (typeof value === "number" && RULES[name][1](value)) found[name] = value;
  }
  if (config.do_sample === true) {
    const { temperature } = config;
    found.temperature =
      typeof temperature === "number" && RULES.temperature[1](temperature) ? temperature : 1;
  }
  return found;
}

/** Throws an OctetteError "argument" that names what does not fit. */
export function samplingOf(
  given: SamplingOptions,
  configured: SamplingOptions,
  vocabulary: number,
): Sampling {
  const numbers = { ...NONE };
  for (const name of Object.keys(NONE) as NumberName[]) {
    const value = given[name] ?? configured[name];
    if (value === undefined) continue;
    const [expected, fits] = RULES[name];
    if (typeof value !== "number" || !fits(value)) throw misfit(name, expected, value);
    numbers[name] = value;
  }
  return { ...numbers, logitBias: biasOf(given.logitBias, vocabulary) };
}

function biasOf(given: SamplingOptions["logitBias"], vocabulary: number): ReadonlyMap<number, number> {
  if (given === undefined) return new Map();
  if (typeof given !== "object" || given === null) throw misfit("logitBias", "numbers by token", given);
  const entries = given instanceof Map ? [...given] : Object.entries(given);
  const bias = new Map(entries.map(([id, value]) => [Number(id), value]));
  for (const [id, value] of bias) {
    if (!Number.isInteger(id) || id < 0 || id >= vocabulary)
      throw misfit("logitBias", `tokens from 0 to ${vocabulary - 1}`, id);
    if (typeof value !== "number" || Number.isNaN(value)) throw misfit("logitBias", "numbers", value);
  }
  return bias;
}

const misfit = (name: string, expected: string, got: unknown) =>
  new OctetteError("option does not fit", {
    code: "argument",
    where: `generate, ${name}`,
    expected,
    got: `${got}`,
  });
