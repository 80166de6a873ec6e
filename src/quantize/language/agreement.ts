// How far a quantized language model is from the float model: the Kullback-Leibler divergence of its distributions, how often both
// hold the same token for the likeliest, and the perplexity of each. Logits come in bands of the vocabulary; sums are of doubles in the
// order of the text, and of a token in the order of its bands.

import { portableExp, portableLog } from "../../portable-math";

/** Figures of one text, the mean over its tokens. */
export interface Agreement {
  /** Tokens that were predicted. */
  readonly tokens: number;
  /** KL(float ‖ quantized), nats a token. */
  readonly kld: number;
  /** Share of positions with the float model's most likely token, 0 to 1. */
  readonly top1: number;
  readonly perplexity: { readonly float: number; readonly quantized: number };
}

/** What the logits of a token told so far, of every token of a text. */
class Told {
  /** The largest logit, its token, and the logit of the token that follows. */
  readonly most: Float64Array;
  readonly best: Int32Array;
  readonly own: Float64Array;
  /** Σ e^(logit − most). */
  readonly sum: Float64Array;

  constructor(tokens: number) {
    this.most = new Float64Array(tokens).fill(-Infinity);
    this.best = new Int32Array(tokens);
    this.own = new Float64Array(tokens);
    this.sum = new Float64Array(tokens);
  }

  /** Adds logits of ids from `from` on; returns what earlier sums are multiplied by. */
  add(t: number, row: Float32Array, from: number, next: number): number {
    const before = this.most[t]!;
    let most = before;
    for (let i = 0; i < row.length; i++)
      if (row[i]! > most) {
        most = row[i]!;
        this.best[t] = from + i;
      }
    if (next >= from && next < from + row.length) this.own[t] = row[next - from]!;
    const factor = most > before ? portableExp(before - most) : 1;
    let sum = this.sum[t]! * factor;
    for (let i = 0; i < row.length; i++) sum += portableExp(row[i]! - most);
    this.most[t] = most;
    this.sum[t] = sum;
    return factor;
  }

  /** The logarithm of the sum of e^logit. */
  log(t: number): number {
    return this.most[t]! + portableLog(this.sum[t]!);
  }
}

/** Adds up what logits of the float model and of others say of texts. */
export class AgreementSums {
  readonly #others: { kld: number; same: number; nats: number }[];
  #tokens = 0;
  #nats = 0;
  /** Of the text that is open. */
  #float = new Told(0);
  #made: { readonly told: Told; readonly cross: Float64Array }[] = [];

  constructor(others: number) {
    this.#others = Array.from({ length: others }, () => ({ kld: 0, same: 0, nats: 0 }));
  }

  /** Begins with a text of so many tokens that follow others. */
  open(tokens: number): void {
    this.#float = new Told(tokens);
    this.#made = this.#others.map(() => ({ told: new Told(tokens), cross: new Float64Array(tokens) }));
  }

  /**
   * Adds rows of logits for the `width` ids from `from` on. Token `at` of the text has the first row. The first `next.length` rows have a
   * token that follows.
   */
  add(
    at: number,
    { from, width }: { readonly from: number; readonly width: number },
    float: Float32Array,
    others: readonly Float32Array[],
    next: Int32Array,
  ): void {
    for (const [r, token] of next.entries()) {
      const t = at + r;
      const row = float.subarray(r * width, (r + 1) * width);
      const factor = this.#float.add(t, row, from, token);
      const most = this.#float.most[t]!;
      const p = row.map((logit) => portableExp(logit - most));
      for (const [o, logits] of others.entries()) {
        const other = logits.subarray(r * width, (r + 1) * width);
        const { told, cross } = this.#made[o]!;
        told.add(t, other, from, token);
        let sum = cross[t]! * factor;
        for (let i = 0; i < width; i++) if (p[i]! > 0) sum += p[i]! * (row[i]! - other[i]!);
        cross[t] = sum;
      }
    }
  }

  /** Ends the text: all of its logits were added. */
  close(): void {
    const float = this.#float;
    for (let t = 0; t < float.sum.length; t++) {
      const log = float.log(t);
      this.#tokens++;
      this.#nats += log - float.own[t]!;
      for (const [o, { told, cross }] of this.#made.entries()) {
        const sums = this.#others[o]!;
        const otherLog = told.log(t);
        // Σ p (log p − log q), where p adds up to 1.
        sums.kld += otherLog - log + cross[t]! / float.sum[t]!;
        sums.same += told.best[t] === float.best[t] ? 1 : 0;
        sums.nats += otherLog - told.own[t]!;
      }
    }
    this.open(0);
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
