// How fast a language model reads and generates here.

import { givingWay } from "../event-loop";
import { Random } from "../graph/random";
import type { LongCallOptions } from "../long-call";
import type { LanguageModel } from "./language-model";

export interface LanguageSpeed {
  /** Tokens of the prompt, and tokens generated after it, each round. */
  readonly promptTokens: number;
  readonly generatedTokens: number;
  readonly rounds: number;
  /** Tokens of the prompt read a second. */
  readonly prefill: number;
  /** Tokens generated a second, the first not counted. */
  readonly decode: number;
  /** From the prompt to the first token, in milliseconds. */
  readonly firstTokenMilliseconds: number;
}

export interface LanguageSpeedOptions extends LongCallOptions {
  /** Tokens of the prompt. Default: 512, or half of what there is room for. */
  readonly promptTokens?: number | undefined;
  /** How long to measure, in seconds; default 2. */
  readonly seconds?: number | undefined;
}

const PROMPT = 512;
const GENERATED = 64;

/** Medians of rounds that read a random prompt and generate after it, the most likely token each. The first round warms up. */
export async function measureLanguageSpeed(
  model: LanguageModel,
  { promptTokens, seconds = 2, signal, onProgress }: LanguageSpeedOptions = {},
): Promise<LanguageSpeed> {
  const prompt = Math.max(1, Math.min(promptTokens ?? PROMPT, Math.floor(model.maxTokens / 2)));
  const generated = Math.max(1, Math.min(GENERATED, model.maxTokens - prompt));
  const random = new Random(1);
  const ids = Int32Array.from({ length: prompt }, () => random.below(model.vocabulary));
  const giveWay = givingWay(signal);
  using session = model.session();
  const times: { first: number; rest: number }[] = [];
  const start = performance.now();
  const limit = 1000 * seconds;
  for (let spent = 0; times.length < 2 || spent < limit; spent = performance.now() - start) {
    await giveWay();
    session.reset();
    const begin = performance.now();
    let first = begin;
    let count = 0;
    for await (const _ of session.generate(ids, { maxTokens: generated, signal })) {
      if (count++ === 0) first = performance.now();
    }
    times.push({ first: first - begin, rest: performance.now() - first });
    await onProgress?.({ stage: "benchmark", done: Math.round(Math.min(spent, limit)), total: limit });
  }
  const measured = times.slice(1);
  const median = (of: (time: (typeof times)[number]) => number) =>
    measured.map(of).sort((a, b) => a - b)[measured.length >> 1]!;
  const first = median((time) => time.first);
  return {
    promptTokens: prompt,
    generatedTokens: generated,
    rounds: measured.length,
    prefill: (1000 * prompt) / first,
    decode: (1000 * (generated - 1)) / median((time) => time.rest),
    firstTokenMilliseconds: first,
  };
}
