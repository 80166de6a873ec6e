// Tokens that were added to a vocabulary and are found in a text before anything else is done to it: control tokens, and plain
// ones such as runs of spaces. Of several that begin at one place the longest is taken.

import { FormatError } from "../../errors";
import { idAt, listAt, malformed, objectAt, textAt } from "./json";

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether it is a control token: text of a user never becomes one unless asked. */
  readonly isSpecial: boolean;
  /** Whether it is found in the text after the normalizer instead of before. */
  readonly isNormalized: boolean;
  /** Whether it must be no part of a word. */
  readonly isWord: boolean;
  /** Whether white space before it, after it, is taken with it. */
  readonly stripsBefore: boolean;
  readonly stripsAfter: boolean;
}

export function readAddedTokens(at: string, value: unknown): readonly AddedToken[] {
  return listAt(at, value ?? []).map((item, i) => {
    const here = `${at}[${i}]`;
    const json = objectAt(here, item);
    const flag = (key: string, other = false): boolean => {
      const is = json[key] ?? other;
      if (typeof is !== "boolean") throw malformed(`${here}.${key}`, "true or false", is);
      return is;
    };
    const isSpecial = flag("special");
    const content = textAt(`${here}.content`, json.content);
    if (content === "") throw new FormatError("an added token has no text", { where: here });
    return {
      id: idAt(`${here}.id`, json.id),
      content,
      isSpecial,
      // A control token is found as it is written. Normalized text never becomes a control token.
      isNormalized: flag("normalized", !isSpecial) && !isSpecial,
      isWord: flag("single_word"),
      stripsBefore: flag("lstrip"),
      stripsAfter: flag("rstrip"),
    };
  });
}

const endsInWord = /[\p{L}\p{M}\p{N}\p{Pc}]$/u;
const beginsInWord = /^[\p{L}\p{M}\p{N}\p{Pc}]/u;

/** Finds added tokens in a text. */
export class AddedTokenFinder {
  readonly #byContent: ReadonlyMap<string, AddedToken>;
  /** Lengths of the tokens that begin with a UTF-16 unit, the longest first. */
  readonly #lengths = new Map<number, number[]>();

  /** `contentOf` gives the text that stands for a token. */
  constructor(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string) {
    this.#byContent = new Map(tokens.map((token) => [contentOf(token), token]));
    this.#byContent.forEach((_, content) => {
      if (content === "") return;
      const lengths = this.#lengths.get(content.charCodeAt(0)) ?? [];
      if (!lengths.includes(content.length)) lengths.push(content.length);
      this.#lengths.set(content.charCodeAt(0), lengths);
    });
    for (const lengths of this.#lengths.values()) lengths.sort((a, b) => b - a);
  }

  /** The text in parts: pieces of text, none of them empty, and ids of the tokens between them. */
  split(text: string): (string | number)[] {
    if (this.#lengths.size === 0) return text === "" ? [] : [text];
    const parts: (string | number)[] = [];
    let start = 0;
    for (let at = 0; at < text.length; ) {
      const token = this.#at(text, at);
      if (token === undefined) {
        at++;
        continue;
      }
      let before = text.slice(start, at);
      at += token.length;
      const { id, stripsBefore, stripsAfter } = token.token;
      if (stripsBefore) before = before.trimEnd();
      if (before !== "") parts.push(before);
      parts.push(id);
      if (stripsAfter) at = text.length - text.slice(at).trimStart().length;
      start = at;
    }
    if (start < text.length) parts.push(text.slice(start));
    return parts;
  }

  #at(text: string, at: number): { readonly token: AddedToken; readonly length: number } | undefined {
    for (const length of this.#lengths.get(text.charCodeAt(at)) ?? []) {
      const token = this.#byContent.get(text.slice(at, at + length));
      if (token === undefined) continue;
      const isPartOfWord = () =>
        endsInWord.test(text.slice(Math.max(0, at - 2), at)) ||
        beginsInWord.test(text.slice(at + length, at + length + 2));
      if (!token.isWord || !isPartOfWord()) return { token, length };
    }
    return undefined;
  }
}
