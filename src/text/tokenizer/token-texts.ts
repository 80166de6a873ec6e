// The texts of tokens, and nothing else of a tokenizer: what generating from tokens takes. It looks them up in the bytes of tokenizer.json,
// so that a large vocabulary takes 4 bytes a token instead of a string and two places in tables.

import { isJsonObject } from "../../formats/json";
import { endOfString, parseBytes, QUOTE, replaced, spanOf } from "../../formats/json-span";
import { readAddedTokens } from "./added-tokens";
import { createDecoding, createTextStream, type TextStream } from "./decoding";
import { MAX_VOCABULARY } from "./json";

/** What generated text takes of a tokenizer. */
export interface TokenTexts {
  /** Decodes tokens one by one, in whole characters. Control tokens are left out. */
  stream(options: { readonly isContinued: boolean }): TextStream;
  /** Ids below `count` without a token. */
  absent(count: number): number[];
}

const AT = "tokenizer.json";
const COLON = 0x3a;
const COMMA = 0x2c;
const END = 0x7d;
const ZERO = 0x30;

/** The texts of the tokens of a tokenizer; undefined where its vocabulary is not an object of texts and ids, each of them once. */
export function tokenTextsOf(json: Uint8Array): TokenTexts | undefined {
  const vocab = spanOf(json, "model", "vocab");
  const merges = spanOf(json, "model", "merges");
  const places = vocab && placesOf(json, vocab[0]);
  if (!vocab || !places) return undefined;
  const parts = [{ span: vocab, by: "null" }, ...(merges ? [{ span: merges, by: "null" }] : [])];
  const rest = parseBytes(
    replaced(
      json,
      parts.sort((a, b) => a.span[0] - b.span[0]),
    ),
  );
  if (!isJsonObject(rest)) return undefined;
  const added = new Map(readAddedTokens(`${AT}.added_tokens`, rest.added_tokens).map((one) => [one.id, one]));
  const decoding = createDecoding(AT, rest);
  const placeOf = (id: number) => places[id] ?? 0;
  const tokenOf = (id: number) => {
    const known = added.get(id);
    if (known) return known.isSpecial ? undefined : { text: known.content, isAdded: true };
    const at = placeOf(id);
    return { text: parseBytes(json.subarray(at, endOfString(json, at))) as string, isAdded: false };
  };
  return {
    stream: ({ isContinued }) => createTextStream(decoding, tokenOf, isContinued),
    absent(count) {
      const ids: number[] = [];
      for (let id = 0; id < count; id++) if (placeOf(id) === 0 && !added.has(id)) ids.push(id);
      return ids;
    },
  };
}

/** Where the token of each id begins, at its quote; 0: nowhere. */
function placesOf(json: Uint8Array, begin: number): Int32Array | undefined {
  const places = new Int32Array(MAX_VOCABULARY);
  let most = 0;
  for (let at = begin + 1; ; at++) {
    if (json[at] !== QUOTE) return undefined;
    const token = at;
    at = endOfString(json, at);
    if (json[at++] !== COLON) return undefined;
    const first = at;
    let id = 0;
    for (; json[at]! >= ZERO && json[at]! < ZERO + 10 && id < MAX_VOCABULARY; at++)
      id = id * 10 + json[at]! - ZERO;
    if (at === first || id >= MAX_VOCABULARY || places[id] !== 0) return undefined;
    places[id] = token;
    most = Math.max(most, id);
    if (json[at] === END) return places.slice(0, most + 1);
    if (json[at] !== COMMA) return undefined;
  }
}
