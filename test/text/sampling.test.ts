import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { portableExp, portableLog } from "../../src/portable-math";
import { configuredSampling, type SamplingOptions, samplingOf } from "../../src/text/sampling/options";
import { type History, Sampler } from "../../src/text/sampling/sampler";
import { STEPS, WHOLE, weightOf } from "../../src/text/sampling/weights";

const NONE: History = { seen: new Set(), generated: new Map() };
const samplerOf = (options: SamplingOptions, vocabulary: number) =>
  new Sampler(samplingOf(options, {}, vocabulary), vocabulary, "model");
const drawn = (options: SamplingOptions, logits: readonly number[], count = 200, history = NONE) => {
  const sampler = samplerOf(options, logits.length);
  return Array.from({ length: count }, () => sampler.sample(Float32Array.from(logits), history).token);
};
const distinct = (tokens: readonly number[]) => [...new Set(tokens)].sort((a, b) => a - b);

describe("exp and log", () => {
  test("are within 2 ulp of the engine's, and exact at the ends", () => {
    fc.assert(
      fc.property(fc.double({ min: -700, max: 700, noNaN: true }), (x) => {
        const is = Math.exp(x);
        expect(Math.abs(portableExp(x) - is)).toBeLessThanOrEqual(4.5e-16 * is);
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
        const is = Math.log(x);
        expect(Math.abs(portableLog(x) - is)).toBeLessThanOrEqual(4.5e-16 * Math.abs(is));
      }),
    );
    expect([0, -Infinity, Infinity, 800, -800].map(portableExp)).toEqual([1, 0, Infinity, Infinity, 0]);
    expect([1, 0, Infinity, Math.E, 5e-324].map(portableLog)).toEqual([
      0,
      -Infinity,
      Infinity,
      1,
      Math.log(5e-324),
    ]);
    expect([portableExp(Number.NaN), portableLog(Number.NaN), portableLog(-1)]).toEqual([NaN, NaN, NaN]);
  });

  test("give weights that are whole numbers and never grow with the distance", () => {
    expect(weightOf(0)).toBe(WHOLE);
    let last = WHOLE;
    for (let steps = 0; steps < 24 * STEPS; steps += 97) {
      const weight = weightOf(steps);
      expect(Number.isInteger(weight) && weight <= last).toBe(true);
      expect(Math.abs(weight - WHOLE * Math.exp(-steps / STEPS))).toBeLessThanOrEqual(0.5001);
      last = weight;
    }
    expect(last).toBe(0);
  });
});

describe("a token is chosen", () => {
  test("greedily: the most likely, and of equals the first", () => {
    expect(distinct(drawn({}, [1, 3, 3, -2]))).toEqual([1]);
    expect(distinct(drawn({ temperature: 0, topK: 3, seed: 9 }, [1, 3, 3, -2]))).toEqual([1]);
  });

  test("with the frequency of its probability", () => {
    const logits = [2, 1, 0, -1];
    const tokens = drawn({ temperature: 0.7, seed: 4 }, logits, 20_000);
    const powers = logits.map((logit) => Math.exp(logit / 0.7));
    const total = powers.reduce((a, b) => a + b);
    for (const [token, power] of powers.entries())
      expect(tokens.filter((t) => t === token).length / 20_000).toBeCloseTo(power / total, 1.9);
  });

  test("by the seed alone, and these tokens on every engine", () => {
    const logits = Array.from({ length: 50 }, (_, i) => Math.sqrt(i) - (i % 7));
    const tokens = drawn({ temperature: 1.3, seed: 42, topP: 0.9 }, logits, 16);
    expect(tokens).toEqual(drawn({ temperature: 1.3, seed: 42, topP: 0.9 }, logits, 16));
    expect(tokens).not.toEqual(drawn({ temperature: 1.3, seed: 43, topP: 0.9 }, logits, 16));
    expect(tokens).toEqual([49, 49, 35, 28, 35, 49, 44, 42, 42, 43, 36, 42, 42, 49, 49, 37]);
    expect(drawn({ temperature: 0.8, seed: 7, typicalP: 0.8, minP: 0.01 }, logits, 16)).toEqual([
      49, 28, 49, 49, 42, 49, 49, 49, 42, 49, 42, 49, 49, 42, 49, 42,
    ]);
    expect(drawn({ temperature: 1, seed: 7 }, logits, 16)).toEqual([
      21, 49, 42, 36, 44, 36, 22, 35, 42, 42, 43, 21, 7, 43, 35, 49,
    ]);
  });

  test("among the k most likely", () => {
    expect(distinct(drawn({ temperature: 50, topK: 2 }, [0, 5, 1, 5]))).toEqual([1, 3]);
    expect(distinct(drawn({ temperature: 50, topK: 1 }, [0, 5, 1, 5]))).toEqual([1]);
    expect(distinct(drawn({ temperature: 50, topK: 9 }, [0, 5, 1, 5]))).toEqual([0, 1, 2, 3]);
  });

  test("among the most likely that have topP together: as many as it takes, at least one", () => {
    // Probabilities .5, .25, .125, .125.
    const logits = [4, 2, 1, 1].map(Math.log);
    for (const [topP, kept] of [
      [1e-9, [0]],
      [0.49, [0]],
      [0.51, [0, 1]],
      [0.74, [0, 1]],
      [0.8, [0, 1, 2]],
      [1, [0, 1, 2, 3]],
    ] as const)
      expect(distinct(drawn({ temperature: 30, topP }, logits))).toEqual(kept);
  });

  test("of a share of what top-k left", () => {
    // Of .5, .25, the share .66 is the first alone; of all four it would be two.
    const logits = [4, 2, 1, 1].map(Math.log);
    expect(distinct(drawn({ temperature: 30, topK: 2, topP: 0.66 }, logits))).toEqual([0]);
    expect(distinct(drawn({ temperature: 30, topK: 2, topP: 0.67 }, logits))).toEqual([0, 1]);
  });

  test("at least minP as likely as the first", () => {
    const logits = [4, 2, 1, 1].map(Math.log);
    expect(distinct(drawn({ temperature: 30, minP: 0.49 }, logits))).toEqual([0, 1]);
    expect(distinct(drawn({ temperature: 30, minP: 0.24 }, logits))).toEqual([0, 1, 2, 3]);
  });

  test("typical: near the expected surprise, which the most likely need not be", () => {
    // Probabilities .4 and 6 of .1: expected surprise 1.75 nats; .1 has 2.30 (off by .55), .4 has .92 (off by .83).
    const logits = [0.4, ...Array(6).fill(0.1)].map(Math.log);
    expect(distinct(drawn({ temperature: 1, typicalP: 0.55 }, logits))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(distinct(drawn({ temperature: 1, typicalP: 0.65 }, logits))).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test("never where its logit is −Infinity, at any temperature", () => {
    const tokens = drawn({ temperature: 1e6, logitBias: { 2: -Infinity } }, [0, -Infinity, 9, 1], 500);
    expect(distinct(tokens)).toEqual([0, 3]);
  });
});

describe("ids without a token", () => {
  const logits = [1, 3, 2, 9];
  const samplerWithout = (options: SamplingOptions, absent: readonly number[]) =>
    new Sampler(samplingOf(options, {}, logits.length), logits.length, "model", absent);
  const sampled = (options: SamplingOptions, absent: readonly number[], top?: number) =>
    samplerWithout(options, absent).sample(Float32Array.from(logits), NONE, top);

  test("are never chosen, and are none of the likeliest", () => {
    expect(sampled({}, [3]).token).toBe(1);
    expect(sampled({ logitBias: { 3: 99 } }, [1, 3]).token).toBe(2);
    const sampler = samplerWithout({ temperature: 1e6 }, [1, 3]);
    const tokens = Array.from({ length: 300 }, () => sampler.sample(Float32Array.from(logits), NONE).token);
    expect(distinct(tokens)).toEqual([0, 2]);
    expect(sampled({}, [3], 3).top!.map(({ token }) => token)).toEqual([1, 2, 0]);
    expect(() => sampled({}, [0, 1, 2, 3])).toThrow(/no token may follow/);
  });

  test("count among those that the model gave a probability", () => {
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    expect(sampled({}, [3]).logprob).toBeCloseTo(3 - total, 6);
  });
});

describe("penalties and biases", () => {
  const one = (options: SamplingOptions, logits: readonly number[], history: Partial<History>) =>
    samplerOf(options, logits.length).sample(Float32Array.from(logits), { ...NONE, ...history }).token;

  test("repetition divides positive logits and multiplies negative ones of tokens in the session", () => {
    expect(one({ repetitionPenalty: 2 }, [3, 2], { seen: new Set([0]) })).toBe(1);
    expect(one({ repetitionPenalty: 1.4 }, [3, 2], { seen: new Set([0]) })).toBe(0);
    expect(one({ repetitionPenalty: 2 }, [-1, -1.5], { seen: new Set([0]) })).toBe(1);
  });

  test("presence counts once, frequency each time", () => {
    const generated = new Map([[0, 3]]);
    expect(one({ presencePenalty: 0.9 }, [3, 2], { generated })).toBe(0);
    expect(one({ presencePenalty: 1.1 }, [3, 2], { generated })).toBe(1);
    expect(one({ frequencyPenalty: 0.34 }, [3, 2], { generated })).toBe(1);
  });

  test("a bias is added", () => {
    expect(one({ logitBias: { 1: 1.5 } }, [3, 2], {})).toBe(1);
    expect(one({ logitBias: new Map([[0, -Infinity]]) }, [3, 2], {})).toBe(1);
  });

  test("change no log probability, which is the model's", () => {
    const logits = [3, 2, 1];
    const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
    const sampler = samplerOf({ logitBias: { 0: -Infinity } }, 3);
    const { token, logprob, top } = sampler.sample(Float32Array.from(logits), NONE, 2);
    expect(token).toBe(1);
    expect(logprob).toBeCloseTo(2 - total, 6);
    expect(top!.map((choice) => choice.token)).toEqual([0, 1]);
    expect(top![0]!.logprob).toBeCloseTo(3 - total, 6);
  });
});

test("logits that are no numbers, or leave no token, are errors", () => {
  const sample =
    (logits: readonly number[], options: SamplingOptions = {}) =>
    () =>
      samplerOf(options, logits.length).sample(Float32Array.from(logits), NONE);
  expect(sample([1, NaN])).toThrow(/model: a logit is NaN: got token 1/);
  expect(sample([-Infinity, -Infinity])).toThrow(/no token may follow/);
  expect(sample([1, Infinity])).toThrow(/a logit is too large/);
  expect(sample([1], { logitBias: { 0: -Infinity } })).toThrow(/no token may follow/);
});

test("options that do not fit are errors that name them", () => {
  for (const [options, text] of [
    [{ temperature: -1 }, /generate, temperature: .* expected a number from 0, got -1/],
    [{ topK: 1.5 }, /generate, topK/],
    [{ topP: 0 }, /generate, topP: .* above 0, at most 1/],
    [{ minP: 2 }, /generate, minP/],
    [{ seed: -1 }, /generate, seed/],
    [{ repetitionPenalty: 0 }, /generate, repetitionPenalty/],
    [{ presencePenalty: NaN }, /generate, presencePenalty/],
    [{ logitBias: { 9: 1 } }, /generate, logitBias: .* tokens from 0 to 4, got 9/],
    [{ logitBias: { 1: NaN } }, /generate, logitBias/],
  ] as const)
    expect(() => samplingOf(options, {}, 5)).toThrow(text);
});

test("generation_config.json gives the defaults, where it fits", () => {
  expect(configuredSampling({ do_sample: true, temperature: 0.6, top_k: 20, top_p: 0.95 })).toEqual({
    temperature: 0.6,
    topK: 20,
    topP: 0.95,
  });
  expect(configuredSampling({ temperature: 0.6 })).toEqual({});
  expect(configuredSampling({ do_sample: true, top_p: "a", top_k: -1 })).toEqual({ temperature: 1 });
  expect(samplingOf({ topK: 3 }, { topK: 20, temperature: 0.6 }, 9)).toMatchObject({
    topK: 3,
    temperature: 0.6,
  });
});
