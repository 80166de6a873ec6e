// Chooses tokens: penalties → top-k → typical → top-p → min-p → temperature, each among what the one before it left, on logits
// rounded to a grid (weights.ts). Only whole numbers are summed and compared, so the same seed draws the same tokens everywhere.

import { OctetteError } from "../../errors";
import { Random } from "../../graph/random";
import { above, type Candidates, idOf, leading, stepsOf, totalWeight, typical, upTo } from "./candidates";
import type { Sampling } from "./options";
import { FADED, logOfShare, NEVER, STEPS, weightOf } from "./weights";

/** A token and the logarithm of the probability that the model gives it, before penalties and all that follows. */
export interface TokenChoice {
  readonly token: number;
  readonly logprob: number;
}

export interface Sampled extends TokenChoice {
  /** The most likely tokens, as many as were asked for. */
  readonly top?: readonly TokenChoice[];
}

/** What a step's logits are changed by. */
export interface History {
  /** Tokens of the session. */
  readonly seen: ReadonlySet<number>;
  /** How often this call has generated each token. */
  readonly generated: ReadonlyMap<number, number>;
}

/** A logit in steps of the grid. */
const unitOf = (logit: number): number =>
  logit >= -(NEVER / STEPS) ? -NEVER : Math.max(NEVER, Math.floor(logit * STEPS + 0.5));

export class Sampler {
  readonly #sampling: Sampling;
  readonly #random: Random;
  readonly #where: string;
  /** Logits of the last step, in steps of the grid. */
  readonly #units: Int32Array;
  /** Ids that are never chosen. */
  readonly #absent: readonly number[];

  /** `where` is what errors call the model; `absent` are ids of no token. */
  constructor(sampling: Sampling, vocabulary: number, where: string, absent: readonly number[] = []) {
    this.#sampling = sampling;
    this.#random = new Random(sampling.seed);
    this.#units = new Int32Array(vocabulary);
    this.#where = where;
    this.#absent = absent;
  }

  /** Chooses by one row of logits, and tells the `top` most likely tokens. Throws where a logit is NaN, and where none is left. */
  sample(logits: Float32Array, history: History, top = 0): Sampled {
    const units = this.#units;
    const most = this.#round(logits);
    const total = totalWeight(units, most);
    const logprobOf = (token: number) => logOfShare(most - unitOf(logits[token]!), total);
    for (const id of this.#absent) units[id] = NEVER;
    const likely = top > 0 ? leading(units, most, top, 0).subarray(0, top) : [];
    const token = this.#choose(this.#change(most, history));
    return {
      token,
      logprob: logprobOf(token),
      ...(top > 0 && {
        top: Array.from(likely, idOf).map((id) => ({ token: id, logprob: logprobOf(id) })),
      }),
    };
  }

  /** Brings the logits to the grid; returns the largest. */
  #round(logits: Float32Array): number {
    const units = this.#units;
    let most = NEVER;
    for (let i = 0; i < units.length; i++) {
      const logit = logits[i]!;
      if (Number.isNaN(logit)) throw this.#failed("a logit is NaN", `token ${i}`);
      const unit = unitOf(logit);
      units[i] = unit;
      if (unit > most) most = unit;
    }
    return this.#checked(most);
  }

  /** Applies penalties and biases; returns the largest logit. */
  #change(most: number, { seen, generated }: History): number {
    const { repetitionPenalty, presencePenalty, frequencyPenalty, logitBias } = this.#sampling;
    const units = this.#units;
    const set = (token: number, unit: number) => {
      units[token] = Number.isNaN(unit) ? NEVER : unitOf(unit / STEPS);
    };
    let isChanged = logitBias.size > 0 || this.#absent.length > 0;
    if (repetitionPenalty !== 1) {
      isChanged = true;
      for (const token of seen) {
        const unit = units[token]!;
        if (unit > NEVER) set(token, unit > 0 ? unit / repetitionPenalty : unit * repetitionPenalty);
      }
    }
    if (presencePenalty !== 0 || frequencyPenalty !== 0) {
      isChanged = true;
      for (const [token, count] of generated)
        if (units[token]! > NEVER)
          set(token, units[token]! - STEPS * (presencePenalty + count * frequencyPenalty));
    }
    for (const [token, bias] of logitBias)
      if (units[token]! > NEVER) set(token, units[token]! + STEPS * bias);
    if (!isChanged) return most;
    let changed = NEVER;
    for (let i = 0; i < units.length; i++) if (units[i]! > changed) changed = units[i]!;
    return this.#checked(changed);
  }

  #choose(most: number): number {
    if (this.#sampling.temperature === 0) return this.#units.indexOf(most);
    const candidates = this.#candidates(most);
    return candidates ? this.#draw(candidates) : this.#drawOfAll(most);
  }

  /** What may be drawn; undefined where all may. */
  #candidates(most: number): Candidates | undefined {
    const { topK, topP, minP, typicalP } = this.#sampling;
    if (topK === 0 && topP === 1 && minP === 0 && typicalP === 1) return undefined;
    const total = totalWeight(this.#units, most);
    // Of a share of all, as few are sorted as have it.
    const weight = topK > 0 ? 0 : typicalP === 1 && topP < 1 ? topP * total : total;
    let candidates = leading(this.#units, most, Math.max(1, topK), weight);
    if (topK > 0) candidates = candidates.subarray(0, topK);
    if (typicalP < 1) candidates = typical(candidates, typicalP);
    if (topP < 1) candidates = upTo(candidates, topP, topK > 0 || typicalP < 1 ? undefined : total);
    return minP > 0 ? above(candidates, minP) : candidates;
  }

  /** Steps below the largest logit, once the logits are divided by the temperature. */
  #cooled(steps: number): number {
    const { temperature } = this.#sampling;
    return temperature === 1 ? steps : Math.min(FADED, Math.floor(steps / temperature + 0.5));
  }

  /** A whole number below `total`, which is below 2^53. */
  #below(total: number): number {
    const high = this.#random.next();
    const low = this.#random.next() >>> 11;
    return Math.floor(((high * 2 ** 21 + low) / 2 ** 53) * total);
  }

  #draw(candidates: Candidates): number {
    const first = stepsOf(candidates[0]!);
    const weights = candidates.map((candidate) => weightOf(this.#cooled(stepsOf(candidate) - first)));
    let left = this.#below(weights.reduce((sum, weight) => sum + weight, 0));
    const drawn = weights.findIndex((weight) => (left -= weight) < 0);
    return idOf(candidates[drawn]!);
  }

  #drawOfAll(most: number): number {
    const units = this.#units;
    const weightAt = (i: number) => {
      const steps = most - units[i]!;
      return steps < FADED ? weightOf(this.#cooled(steps)) : 0;
    };
    let total = 0;
    for (let i = 0; i < units.length; i++) total += weightAt(i);
    let left = this.#below(total);
    for (let i = 0; ; i++) if ((left -= weightAt(i)) < 0) return i;
  }

  #checked(most: number): number {
    if (most === NEVER) throw this.#failed("no token may follow: all logits are −Infinity", undefined);
    if (most === -NEVER) throw this.#failed("a logit is too large", `${-NEVER / STEPS} or more`);
    return most;
  }

  #failed(what: string, got: string | undefined): OctetteError {
    return new OctetteError(what, {
      code: "argument",
      where: this.#where,
      ...(got === undefined ? {} : { got }),
      hint: "Look at processLogits and logitBias; a model that gives such logits is damaged",
    });
  }
}
