// WordPiece (BERT): from the left, the longest token of the vocabulary; tokens inside a word have a prefix. A word of which a
// part has no token is unknown as a whole.

import type { TokenizerModel } from "./bpe";
import { type JsonObject, malformed, textAt } from "./json";
import type { Vocabulary } from "./vocabulary";

/** The model "WordPiece" of tokenizer.json. */
export class WordPieceModel implements TokenizerModel {
  readonly #ids: ReadonlyMap<string, number>;
  readonly #unknown: number;
  readonly #prefix: string;
  /** Longest word in characters; a longer one is unknown. */
  readonly #longest: number;

  constructor(at: string, json: JsonObject, vocabulary: Vocabulary) {
    this.#ids = vocabulary.reachable;
    if (vocabulary.unknown === undefined) throw malformed(`${at}.unk_token`, "a token", json.unk_token);
    this.#unknown = vocabulary.unknown;
    this.#prefix = textAt(`${at}.continuing_subword_prefix`, json.continuing_subword_prefix ?? "##");
    const longest = json.max_input_chars_per_word ?? 100;
    if (typeof longest !== "number") throw malformed(`${at}.max_input_chars_per_word`, "a number", longest);
    this.#longest = longest;
  }

  encode(piece: string, ids: number[]): void {
    const characters = Array.from(piece);
    const found: number[] = [];
    let start = characters.length > this.#longest ? -1 : 0;
    while (start >= 0 && start < characters.length) {
      let end = characters.length;
      let id: number | undefined;
      for (; end > start; end--) {
        const text = characters.slice(start, end).join("");
        id = this.#ids.get(start > 0 ? this.#prefix + text : text);
        if (id !== undefined) break;
      }
      if (id !== undefined) found.push(id);
      start = id === undefined ? -1 : end;
    }
    if (start < 0) ids.push(this.#unknown);
    else for (const id of found) ids.push(id);
  }
}
