// What a caller may say of a generation beside how tokens are chosen, checked before anything is computed.

import { OctetteError } from "../errors";
import { LONG_CALL, type LongCallOptions } from "../long-call";
import { checkOptions, type Names } from "../options";
import { SAMPLING, type Sampling, type SamplingOptions, samplingOf } from "./sampling/options";

/** Options of `generate`. */
export interface GenerateOptions extends SamplingOptions, LongCallOptions {
  /** Most tokens to generate. Default: as many as there is room for. */
  readonly maxTokens?: number | undefined;
  /** Texts that end the generation and are left out of the result. Default: none. */
  readonly stop?: string | readonly string[] | undefined;
  /**
   * Tokens that end the generation; the one that did is its last. Default: the model's own ends of text, and none after a prompt of
   * tokens; `[]`: none.
   */
  readonly stopTokens?: readonly number[] | undefined;
  /** Tells of each step the most likely tokens too, as many as this; default 0. */
  readonly logprobs?: number | undefined;
  /**
   * The prompt is all of the text, not what follows: the session goes back to where the two part, and reads from there. Default:
   * true for messages, false for others.
   */
  readonly reuse?: boolean | undefined;
  /**
   * May change the logits of each step before anything else does, in place; −Infinity forbids a token. `tokens` are those of the
   * session. A promise it returns is awaited. Default: nothing changes them.
   */
  readonly processLogits?: ((logits: Float32Array, tokens: readonly number[]) => unknown) | undefined;
}

const GENERATE = {
  ...SAMPLING,
  ...LONG_CALL,
  maxTokens: 1,
  stop: 1,
  stopTokens: 1,
  logprobs: 1,
  reuse: 1,
  processLogits: 1,
} satisfies Names<GenerateOptions>;

/** A generation's options, resolved. */
export interface GenerationSettings {
  readonly sampling: Sampling;
  readonly maxTokens: number | undefined;
  readonly stops: readonly string[];
  readonly stopTokens: ReadonlySet<number>;
  readonly logprobs: number;
}

/** Throws an OctetteError "argument" that names what does not fit. */
export function wantedOf(
  options: GenerateOptions,
  configured: SamplingOptions,
  ends: readonly number[],
  vocabulary: number,
): GenerationSettings {
  checkOptions("generate", options, GENERATE);
  const { maxTokens, stop = [], stopTokens = ends, logprobs = 0, processLogits } = options;
  const sampling = samplingOf(options, configured, vocabulary);
  if (maxTokens !== undefined && !(Number.isSafeInteger(maxTokens) && maxTokens >= 0))
    throw misfit("maxTokens", "a whole number from 0", maxTokens);
  if (!(Number.isSafeInteger(logprobs) && logprobs >= 0 && logprobs <= vocabulary))
    throw misfit("logprobs", `a whole number from 0 to ${vocabulary}`, logprobs);
  const stops = [stop].flat();
  for (const text of stops)
    if (typeof text !== "string" || text === "") throw misfit("stop", "texts that are not empty", text);
  if (!Array.isArray(stopTokens)) throw misfit("stopTokens", "a list of tokens", stopTokens);
  for (const id of stopTokens)
    if (!Number.isInteger(id) || id < 0 || id >= vocabulary)
      throw misfit("stopTokens", `tokens from 0 to ${vocabulary - 1}`, id);
  if (processLogits !== undefined && typeof processLogits !== "function")
    throw misfit("processLogits", "a function", processLogits);
  return { sampling, maxTokens, stops, stopTokens: new Set(stopTokens), logprobs };
}

const misfit = (name: string, expected: string, got: unknown) =>
  new OctetteError("option does not fit", {
    code: "argument",
    where: `generate, ${name}`,
    expected,
    got: JSON.stringify(got) ?? `${got}`,
  });
