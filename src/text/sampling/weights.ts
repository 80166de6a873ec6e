// Probabilities as whole numbers. A logit is a multiple of 2^−16; what lies d of these below the largest has the weight
// round(2^32 · e^(−d / 2^16)). Sums of weights are exact in any order, so a draw is the same on every engine.

import { portableExp, portableLog } from "../../portable-math";

/** Steps of the grid in a unit of a logit: 2^−16 is finer than f32 has for logits above 256. */
export const STEPS = 2 ** 16;
/** Weight of the largest logit. */
export const WHOLE = 2 ** 32;
/** Stands for −Infinity and all lower weights: such a token is never drawn. */
export const NEVER = -(2 ** 30);

/** Steps that the second table covers. */
const FINE = 2 ** 12;
/** From here on a weight is 0: 2^32 · e^(−d / 2^16) < 1/2 for d = 33 · ln 2 · 2^16. */
export const FADED = Math.ceil(33 * Math.LN2 * STEPS);

const coarse = Float64Array.from(
  { length: Math.ceil(FADED / FINE) + 1 },
  (_, i) => WHOLE * portableExp((-i * FINE) / STEPS),
);
const fine = Float64Array.from({ length: FINE }, (_, i) => portableExp(-i / STEPS));

/** Weight of a logit that lies `steps` below the largest: 0…2^32. */
export const weightOf = (steps: number): number =>
  steps >= FADED ? 0 : Math.floor(coarse[steps >> 12]! * fine[steps & (FINE - 1)]! + 0.5);

/** The logarithm of a probability: of a logit `steps` below the largest, where all weights sum to `total`. */
export const logOfShare = (steps: number, total: number): number =>
  -steps / STEPS - portableLog(total / WHOLE);
