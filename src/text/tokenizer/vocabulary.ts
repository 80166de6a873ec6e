// Tokens and their ids, and which of them a text can become: a control token, the unknown token and the names of bytes are no
// text, even where a text looks the same.

import { OctetteError } from "../../errors";
import type { AddedToken } from "./added-tokens";
import { idAt, type JsonObject, malformed, objectAt, textAt } from "./json";

/** How a vocabulary names a byte: byteToken(10) = "<0x0A>". */
export const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;

/** The byte that a token names, or undefined. */
export const byteOf = (token: string): number | undefined =>
  /^<0x[0-9A-Fa-f]{2}>$/.test(token) ? Number.parseInt(token.slice(3, 5), 16) : undefined;

/** The token of an element of a list: a text, or a text and its score. */
export function tokenIn(element: unknown, list: string, id: number): string {
  const token: unknown = Array.isArray(element) ? element[0] : element;
  return typeof token === "string" ? token : textAt(`${list}[${id}]`, token);
}

export class Vocabulary {
  /** Tokens by id; undefined where an id has none. */
  readonly tokens: readonly (string | undefined)[];
  /** Ids of the tokens that a text can become, added tokens that are no control tokens aside. */
  readonly reachable: ReadonlyMap<string, number>;
  /** Id of the unknown token. */
  readonly unknown: number | undefined;
  /** Ids of the bytes, where each of the 256 has a token "<0x…>". */
  readonly bytes: readonly number[] | undefined;
  /** Ids of tokens that no text becomes. */
  readonly #apart = new Map<string, number>();

  /**
   * Of the part `model` of tokenizer.json and the added tokens. Its vocabulary has ids of texts, or is a list in the order of ids: of texts
   * with scores, or, in artifacts, of texts, undefined where an id has none.
   */
  constructor(at: string, model: JsonObject, added: readonly AddedToken[]) {
    const tokens: (string | undefined)[] = [];
    const list: readonly unknown[] | undefined = Array.isArray(model.vocab) ? model.vocab : undefined;
    const unknown = unknownToken(at, model, Array.isArray(list?.[0]) ? list : undefined);
    const apart = new Set(added.filter(({ isSpecial }) => isSpecial).map(({ content }) => content));
    if (unknown !== undefined) apart.add(unknown);
    const hasBytes = model.byte_fallback === true;
    const reachable = new Map<string, number>();
    const add = (token: string, id: number) => {
      if (tokens[id] === undefined) tokens[id] = token;
      const isApart = apart.has(token) || (hasBytes && token.length === 6 && byteOf(token) !== undefined);
      if (isApart) this.#apart.set(token, id);
      else reachable.set(token, id);
    };
    // A quarter of a million tokens: their places are put into words where one is wrong.
    const place = `${at}.vocab`;
    if (list)
      list.forEach((entry, id) => {
        if (entry !== undefined) add(tokenIn(entry, place, id), idAt(place, id));
      });
    else for (const [token, id] of Object.entries(objectAt(place, model.vocab))) add(token, idAt(place, id));
    for (const { id, content, isSpecial } of added) {
      tokens[id] = content;
      if (isSpecial) this.#apart.set(content, id);
    }
    if (tokens.length === 0) throw malformed(`${at}.vocab`, "tokens", "none");
    this.tokens = tokens;
    this.reachable = reachable;
    this.unknown = unknown === undefined ? undefined : (this.#apart.get(unknown) ?? missing(at, unknown));
    const bytes = Array.from({ length: 256 }, (_, byte) => this.#apart.get(byteToken(byte)));
    this.bytes = hasBytes && bytes.every((id) => id !== undefined) ? bytes : undefined;
  }

  /** Id of a token by its text, reachable or not. */
  idOf(token: string): number | undefined {
    return this.reachable.get(token) ?? this.#apart.get(token);
  }
}

function unknownToken(at: string, model: JsonObject, scored: readonly unknown[] | undefined) {
  if (scored) {
    const id = model.unk_id;
    if (id === null || id === undefined) return undefined;
    const entry = scored[idAt(`${at}.unk_id`, id)];
    return textAt(`${at}.unk_id`, (entry as unknown[] | undefined)?.[0]);
  }
  return model.unk_token === null || model.unk_token === undefined
    ? undefined
    : textAt(`${at}.unk_token`, model.unk_token);
}

function missing(at: string, unknown: string): never {
  throw new OctetteError("the vocabulary lacks its own unknown token", {
    code: "format",
    where: at,
    expected: JSON.stringify(unknown.slice(0, 100)),
  });
}
