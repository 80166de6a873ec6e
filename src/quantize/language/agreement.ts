// How far a quantized language model is from the float model: the Kullback-Leibler divergence of its distributions, how often both
// hold the same token for the likeliest, and the perplexity of each. Sums are of doubles in the order of the text.

import { portableExp } from "../../text/portable-math";
import { likeliest, logSumExp } from "../../text/row-scores";

/** Figures of one text, the mean over its tokens. */
export interface Agreement {
  /** Tokens that were predicted. */
  readonly tokens: number;
  /** KL(float ‖ quantized), nats a token. */
  readonly kld: number;
  /** Share of tokens whose likeliest is that of the float model, 0 to 1. */
  readonly top1: number;
  readonly perplexity: { readonly float: number; readonly quantized: number };
}

/** Adds up what logits of the float model and of others say of a text. */
export class AgreementSums {
  readonly #vocabulary: number;
  readonly #others: { kld: number; same: number; nats: number }[];
  #tokens = 0;
  #nats = 0;

  constructor(vocabulary: number, others: number) {
    this.#vocabulary = vocabulary;
    this.#others = Array.from({ length: others }, () => ({ kld: 0, same: 0, nats: 0 }));
  }

  /** Adds rows of logits, [rows, vocabulary], of which the first `next.length` have a token that follows. */
  add(float: Float32Array, others: readonly Float32Array[], next: Int32Array): void {
    const n = this.#vocabulary;
    for (const [r, token] of next.entries()) {
      const row = float.subarray(r * n, (r + 1) * n);
      const [best, log] = [likeliest(row), logSumExp(row)];
      const p = row.map((logit) => portableExp(logit - log));
      this.#tokens++;
      this.#nats += log - row[token]!;
      for (const [o, logits] of others.entries()) {
        const other = logits.subarray(r * n, (r + 1) * n);
        const sums = this.#others[o]!;
        const otherLog = logSumExp(other);
        // Σ p (log p − log q), where p adds up to 1.
        let kld = otherLog - log;
        for (let i = 0; i < n; i++) if (p[i]! > 0) kld += p[i]! * (row[i]! - other[i]!);
        sums.kld += kld;
        sums.same += likeliest(other) === best ? 1 : 0;
        sums.nats += otherLog - other[token]!;
      }
    }
  }

  /** The figures of each of the others. */
  done(): Agreement[] {
    const tokens = this.#tokens;
    return this.#others.map(({ kld, same, nats }) => ({
      tokens,
      kld: kld / tokens,
      top1: same / tokens,
      perplexity: { float: portableExp(this.#nats / tokens), quantized: portableExp(nats / tokens) },
    }));
  }
}
