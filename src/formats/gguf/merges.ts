// Merges of SentencePiece's vocabularies, of which a file has no list: any two tokens whose texts together are a third are merged, those
// that make tokens of high scores first. A vocabulary of 262 144 tokens has half a million of them, so texts are cut by their hashes.

import { OctetteError } from "../../errors";

/** Most work to find merges: squares of the tokens' lengths, summed. A vocabulary of 262 144 takes a tenth of it. */
export const MAX_MERGE_WORK = 2 ** 27;
/** Most looks into the table beside one for each cut: a file whose hashes collide on purpose needs more. */
const MAX_COLLISIONS = 2 ** 25;
/** Base of the polynomial that texts are hashed by. */
const BASE = 0x01000193;

/** Tokens by the hash of their text. */
class Pieces {
  readonly #tokens: readonly string[];
  readonly #where: string;
  readonly #mask: number;
  /** Pairs of a hash and one more than an id; 0 where there is none. */
  readonly #slots: Int32Array;
  #collisions = 0;

  constructor(tokens: readonly string[], where: string) {
    let size = 16;
    while (size < 2 * tokens.length) size *= 2;
    this.#tokens = tokens;
    this.#where = where;
    this.#mask = size - 1;
    this.#slots = new Int32Array(2 * size);
  }

  /** Where the id of the text from `begin` to `end` is, whose hash is known; or of the free place for it. */
  #find(hash: number, text: string, begin: number, end: number): number {
    const slots = this.#slots;
    for (let slot = (hash ^ (hash >>> 15)) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = 2 * slot + 1;
      if (slots[place] === 0) return place;
      if (slots[place - 1] === hash) {
        const token = this.#tokens[slots[place]! - 1]!;
        if (token.length === end - begin && text.startsWith(token, begin)) return place;
      }
      if (++this.#collisions > MAX_COLLISIONS) throw tooMuch(this.#where, "MAX_COLLISIONS", MAX_COLLISIONS);
    }
  }

  /** The id of such a token; −1 where there is none. */
  idOf(hash: number, text: string, begin: number, end: number): number {
    return this.#slots[this.#find(hash, text, begin, end)]! - 1;
  }

  /** Adds a token; false where its text is there. */
  add(id: number): boolean {
    const token = this.#tokens[id]!;
    let hash = 0;
    for (let i = 0; i < token.length; i++) hash = (Math.imul(hash, BASE) + token.charCodeAt(i) + 1) | 0;
    const place = this.#find(hash, token, 0, token.length);
    if (this.#slots[place] !== 0) return false;
    this.#slots[place - 1] = hash;
    this.#slots[place] = id + 1;
    return true;
  }
}

/** Every way to put a token together from two others, those of tokens with high scores first. Only tokens that are pieces count. */
export function mergesOf(
  tokens: readonly string[],
  isPiece: (id: number) => boolean,
  scores: ArrayLike<number>,
  where: string,
): [string, string][] {
  const pieces = new Pieces(tokens, where);
  const ids: number[] = [];
  let work = 0;
  let longest = 0;
  for (let id = 0; id < tokens.length; id++) {
    if (!isPiece(id) || tokens[id] === "") continue;
    const { length } = tokens[id]!;
    longest = Math.max(longest, length);
    work += length ** 2;
    if (work > MAX_MERGE_WORK) throw tooMuch(where, "MAX_MERGE_WORK", MAX_MERGE_WORK);
    if (pieces.add(id)) ids.push(id);
  }
  ids.sort((a, b) => scores[b]! - scores[a]! || a - b);
  const powers = new Int32Array(longest + 1).fill(1);
  for (let i = 1; i <= longest; i++) powers[i] = Math.imul(powers[i - 1]!, BASE);
  const hashes = new Int32Array(longest + 1);
  const merges: [string, string][] = [];
  for (const id of ids) {
    const token = tokens[id]!;
    const { length } = token;
    for (let i = 0; i < length; i++) hashes[i + 1] = Math.imul(hashes[i]!, BASE) + token.charCodeAt(i) + 1;
    for (let cut = 1; cut < length; cut++) {
      const left = pieces.idOf(hashes[cut]!, token, 0, cut);
      if (left < 0) continue;
      const hash = (hashes[length]! - Math.imul(hashes[cut]!, powers[length - cut]!)) | 0;
      const right = pieces.idOf(hash, token, cut, length);
      if (right >= 0) merges.push([tokens[left]!, tokens[right]!]);
    }
  }
  return merges;
}

const tooMuch = (where: string, name: string, limit: number): OctetteError =>
  new OctetteError("the vocabulary takes too much work to merge", {
    code: "limit",
    where: `${where}, tokenizer.ggml.tokens`,
    expected: `at most ${name} = ${limit}`,
  });
