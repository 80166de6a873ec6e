// The tokens among which one is drawn, most likely first, and what cuts them short. A candidate is one number, its distance from the
// largest logit in steps of the grid above its id: numbers sort as candidates do, and ties go to the lower id.

import { portableLog } from "../../portable-math";
import { FADED, STEPS, weightOf } from "./weights";

const IDS = 2 ** 24;
/** Steps of a slot of the histogram that finds where to stop. */
const SLOT_BITS = 13;
const SLOTS = (FADED >> SLOT_BITS) + 1;

export type Candidates = Float64Array;

export const idOf = (candidate: number): number => candidate % IDS;
export const stepsOf = (candidate: number): number => Math.floor(candidate / IDS);
const weightIn = (candidate: number): number => weightOf(stepsOf(candidate));

/** Weights of all that can be drawn. */
export function totalWeight(units: Int32Array, most: number): number {
  let total = 0;
  for (let i = 0; i < units.length; i++) {
    const steps = most - units[i]!;
    if (steps < FADED) total += weightOf(steps);
  }
  return total;
}

/** The most likely tokens: at least `count` of them and as many as have `weight` together, as far as there are any. */
export function leading(units: Int32Array, most: number, count: number, weight: number): Candidates {
  const counts = new Int32Array(SLOTS);
  const weights = new Float64Array(SLOTS);
  for (let i = 0; i < units.length; i++) {
    const steps = most - units[i]!;
    if (steps >= FADED) continue;
    counts[steps >> SLOT_BITS]!++;
    weights[steps >> SLOT_BITS]! += weightOf(steps);
  }
  let [slots, found, gathered] = [0, 0, 0];
  while (slots < SLOTS && (found < count || gathered < weight)) {
    found += counts[slots]!;
    gathered += weights[slots]!;
    slots++;
  }
  const candidates = new Float64Array(found);
  const limit = Math.min(FADED, slots << SLOT_BITS);
  let at = 0;
  for (let i = 0; i < units.length && at < found; i++) {
    const steps = most - units[i]!;
    if (steps < limit) candidates[at++] = steps * IDS + i;
  }
  return candidates.sort();
}

/** The first of them that together have a share of the weight of all; at least one. */
export function upTo(candidates: Candidates, share: number, total = sumOf(candidates)): Candidates {
  const wanted = share * total;
  let sum = 0;
  let count = 0;
  while (count < candidates.length && (count === 0 || sum < wanted)) sum += weightIn(candidates[count++]!);
  return candidates.subarray(0, count);
}

/** Candidates whose surprise is nearest to its expectation, up to a share of the weight (Meister et al. 2022, arXiv:2202.00666). */
export function typical(candidates: Candidates, share: number): Candidates {
  const total = sumOf(candidates);
  const logTotal = portableLog(total / weightOf(0));
  const surprise = (candidate: number) => stepsOf(candidate) / STEPS + logTotal;
  let expected = 0;
  for (const candidate of candidates) expected += (weightIn(candidate) / total) * surprise(candidate);
  const shift = Float64Array.from(candidates, (candidate) => Math.abs(surprise(candidate) - expected));
  const order = Array.from(candidates.keys()).sort((a, b) => shift[a]! - shift[b]! || a - b);
  const kept = upTo(
    Float64Array.from(order, (i) => candidates[i]!),
    share,
    total,
  );
  return kept.sort();
}

/** Those at least as likely as a share of the first. */
export function above(candidates: Candidates, share: number): Candidates {
  const least = share * weightIn(candidates[0]!);
  let count = 1;
  while (count < candidates.length && weightIn(candidates[count]!) >= least) count++;
  return candidates.subarray(0, count);
}

function sumOf(candidates: Candidates): number {
  let sum = 0;
  for (const candidate of candidates) sum += weightIn(candidate);
  return sum;
}
