// The unigram model of SentencePiece (Kudo 2018, "Subword Regularization"): of all ways to cut a piece of text into tokens, the
// one with the largest sum of their scores, found by Viterbi's algorithm.

import type { TokenizerModel } from "./bpe";
import { type JsonObject, listAt, malformed } from "./json";
import type { Vocabulary } from "./vocabulary";

/** How far below the lowest score an unknown character lies. */
const UNKNOWN_PENALTY = 10;

/** The model "Unigram" of tokenizer.json. */
export class UnigramModel implements TokenizerModel {
  readonly #ids: ReadonlyMap<string, number>;
  /** By id. */
  readonly #scores: Float64Array;
  readonly #unknown: number | undefined;
  readonly #unknownScore: number;
  readonly #bytes: readonly number[] | undefined;
  /** Longest token, in UTF-16 units. */
  readonly #longest: number;

  constructor(at: string, json: JsonObject, vocabulary: Vocabulary) {
    this.#ids = vocabulary.reachable;
    this.#unknown = vocabulary.unknown;
    this.#bytes = vocabulary.bytes;
    let lowest = Number.POSITIVE_INFINITY;
    this.#scores = Float64Array.from(listAt(`${at}.vocab`, json.vocab), (entry, id) => {
      const score = (entry as readonly unknown[])[1];
      if (typeof score !== "number" || !Number.isFinite(score))
        throw malformed(`${at}.vocab[${id}][1]`, "a score", score);
      lowest = Math.min(lowest, score);
      return score;
    });
    this.#unknownScore = lowest - UNKNOWN_PENALTY;
    let longest = 1;
    for (const token of this.#ids.keys()) longest = Math.max(longest, token.length);
    this.#longest = longest;
  }

  encode(piece: string, ids: number[]): void {
    const { length } = piece;
    const best = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY);
    const from = new Int32Array(length + 1);
    /** −1 for an unknown character. */
    const token = new Int32Array(length + 1).fill(-1);
    best[0] = 0;
    for (let start = 0; start < length; ) {
      const step = piece.codePointAt(start)! > 0xffff ? 2 : 1;
      let isKnown = false;
      for (let end = start + step; end <= Math.min(length, start + this.#longest); end++) {
        const id = this.#ids.get(piece.slice(start, end));
        if (id === undefined) continue;
        if (end === start + step) isKnown = true;
        const score = best[start]! + this.#scores[id]!;
        if (score > best[end]!) [best[end], from[end], token[end]] = [score, start, id];
      }
      const end = start + step;
      const score = best[start]! + this.#unknownScore;
      if (!isKnown && score > best[end]!) [best[end], from[end], token[end]] = [score, start, -1];
      start = end;
    }
    const cuts: number[] = [];
    for (let end = length; end > 0; end = from[end]!) cuts.push(end);
    cuts.reverse();
    let wasUnknown = false;
    for (const end of cuts) {
      const isUnknown = token[end] === -1;
      if (!isUnknown) ids.push(token[end]!);
      else if (this.#bytes)
        for (const byte of new TextEncoder().encode(piece.slice(from[end], end)))
          ids.push(this.#bytes[byte]!);
      else if (this.#unknown !== undefined && !wasUnknown) ids.push(this.#unknown);
      wasUnknown = isUnknown;
    }
  }
}
