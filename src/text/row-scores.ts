// What rows of logits say of the tokens that followed, and how far two models' rows are apart, in nats.

import { portableExp, portableLog } from "../portable-math";

/** The logarithm of the sum of e^logit: log probabilities are logits less this. */
export function logSumExp(row: Float32Array): number {
  let most = -Infinity;
  for (let i = 0; i < row.length; i++) if (row[i]! > most) most = row[i]!;
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += portableExp(row[i]! - most);
  return most + portableLog(sum);
}

/** Nats that a row needs for a token. */
export const lossOf = (row: Float32Array, token: number): number => logSumExp(row) - row[token]!;

/** Kullback–Leibler divergence of a row from a reference: Σ p · log(p / q), p of the reference. */
export function divergenceOf(reference: Float32Array, row: Float32Array): number {
  const [p, q] = [logSumExp(reference), logSumExp(row)];
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    const logP = reference[i]! - p;
    const share = portableExp(logP);
    if (share > 0) sum += share * (logP - (row[i]! - q));
  }
  return sum;
}

/** The most likely token of a row; the first of equals. */
export function likeliest(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}
