// How far training moves a model, and warnings: the loss grows, or the model forgets.

import type { Parameter } from "../step/prepare";
import type { Validation } from "./validate";

/**
 * A mean loss, of about so many steps, that is so many times that of the first step means that steps are too large. A first
 * loss below what guessing among a dozen classes costs says little.
 */
const [RECENT, DIVERGED, GUESSING] = [10, 4, 2.5];
/** What is left of the accuracy before tuning where steps were so large that the rest of them cannot bring it back. */
const FORGOTTEN = 0.5;

/** Losses that a run looks back on. */
export interface LossHistory {
  lossAtFirst: number;
  lossOfLate: number;
}

/** Whether the loss of a step is a number, and the mean of late ones not far above the first. */
export function isSound(losses: LossHistory, loss: number, step: number): boolean {
  if (step === 1) losses.lossAtFirst = losses.lossOfLate = loss;
  losses.lossOfLate += (loss - losses.lossOfLate) / RECENT;
  return Number.isFinite(loss) && losses.lossOfLate < DIVERGED * Math.max(losses.lossAtFirst, GUESSING);
}

export const lossGrew = ({ lossAtFirst }: LossHistory, loss: number, step: number, worst: string): string =>
  `stopped at step ${step}: the loss is ${loss.toPrecision(3)}, it began at ${lossAtFirst.toPrecision(3)}; ${worst}`;

export const hasForgotten = (before: Validation, now: Validation): boolean =>
  now.accuracy < FORGOTTEN * before.accuracy;

export const accuracyFell = (before: Validation, now: Validation, epoch: number): string =>
  `stopped behind epoch ${epoch}: accuracy fell from ${before.accuracy.toFixed(2)} to ${now.accuracy.toFixed(2)} %`;

/** Why the model as it came is kept. */
export function noneBetter({ accuracy }: Validation, samples: number, lr: number): string {
  const hint = accuracy < 100 ? `try a smaller lr than ${lr}` : "more of them would tell which is better";
  return `no epoch did better than the model before tuning (${accuracy.toFixed(2)} % of ${samples} samples), which is kept; ${hint}`;
}

/** The parameter that went astray, and how far. */
export function worstOf(parameters: readonly Parameter[], now: (name: string) => ArrayLike<number>): string {
  const grown = parameters.map(({ name, start }) => ({
    name,
    growth: largest(now(name)) / largest(start.data),
  }));
  const wrong = grown.find(({ growth }) => !Number.isFinite(growth));
  if (wrong) return `"${wrong.name}" is not finite`;
  const { name, growth } = grown.reduce((most, one) => (one.growth > most.growth ? one : most));
  return `"${name}" is ${growth.toPrecision(3)} times as large as it began`;
}

/** Mean distance that weights moved, in steps of their codes; undefined where none have codes. */
export function meanMove(
  parameters: readonly Parameter[],
  before: ReadonlyMap<string, Float32Array>,
  now: (name: string) => ArrayLike<number>,
): number | undefined {
  let [sum, count] = [0, 0];
  for (const { name, kind, coded } of parameters) {
    if (kind !== "weight" || !coded) continue;
    const [old, moved] = [before.get(name)!, now(name)];
    const most = old.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    if (most === 0) continue;
    for (let i = 0; i < old.length; i++) sum += (Math.abs(moved[i]! - old[i]!) * coded.limit) / most;
    count += old.length;
  }
  return count === 0 ? undefined : sum / count;
}

/** Largest magnitude, a tiny one at least; NaN where there is one. */
const largest = (numbers: ArrayLike<number>) =>
  Array.prototype.reduce.call(
    numbers,
    (most, x) => Math.max(most as number, Math.abs(x as number)),
    2 ** -126,
  ) as number;
