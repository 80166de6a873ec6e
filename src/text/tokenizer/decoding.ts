// Tokens as text. Each token is some bytes of UTF-8, half a character perhaps; only whole characters leave a stream. Which bytes
// depends on the part `decoder` of tokenizer.json and on whether a token is the first of its text.

import {
  type JsonObject,
  malformed,
  patternAt,
  type TokenizerPart,
  textAt,
  tokenizerParts,
  unknownPart,
} from "./json";
import { byteOf } from "./vocabulary";

/** Turns tokens into text one after the other. */
export interface TextStream {
  /** Text that a further token completes; "" where its last character is not whole yet. */
  push(id: number): string;
  /** Text of the remaining bytes: U+FFFD for bytes that never became a character. */
  end(): string;
}

type Step = (token: string, isFirst: boolean) => string;

/** What a decoder does with tokens. */
export interface Decoding {
  /** Bytes of a token. `isAdded`: whether it is an added token, whose text is literal. */
  bytesOf(token: string, isFirst: boolean, isAdded: boolean): Uint8Array;
  /** A character that is taken from the beginning of a text as often as `count`. */
  readonly strip?: { readonly character: string; readonly count: number };
}

/** The byte that each character of byte-level tokens stands for: printable ones for themselves, then from U+0100 on (GPT-2). */
const bytesOfCharacters: ReadonlyMap<string, number> = (() => {
  const isOwn = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let others = 0;
  return new Map(
    Array.from({ length: 256 }, (_, byte) => [
      String.fromCharCode(isOwn(byte) ? byte : 256 + others++),
      byte,
    ]),
  );
})();

/** Bytes of a token of characters that stand for bytes; undefined where one of them does not. */
function byteLevel(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let i = 0; i < token.length; i++) {
    const byte = bytesOfCharacters.get(token[i]!);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}

/** BERT's: spaces that English has not before marks and contractions. */
const cleaned = (text: string): string =>
  text
    .replaceAll(/ ([.?!,])/g, "$1")
    .replaceAll(" ' ", "'")
    .replaceAll(/ (n't|'m|'s|'ve|'re)/g, "$1")
    .replaceAll(" do not", " don't");

/** Of tokenizer.json, whose path is `at`. */
export function createDecoding(at: string, json: JsonObject): Decoding {
  const parts = tokenizerParts(`${at}.decoder`, json.decoder, "decoders");
  const steps: Step[] = parts.length === 0 ? [(token, isFirst) => (isFirst ? token : ` ${token}`)] : [];
  const state = { hasBytes: false, isByteLevel: false, isFused: false };
  let strip: { readonly character: string; readonly count: number } | undefined;
  for (const part of parts) {
    if (part.json.type === "Strip" && state.isFused) strip = stripOf(part);
    else steps.push(...stepsOf(part, state));
  }
  const encoder = new TextEncoder();
  return {
    bytesOf(token, isFirst, isAdded) {
      const text = steps.reduce((text, step) => step(text, isFirst), token);
      const byte = state.hasBytes ? byteOf(text) : undefined;
      if (byte !== undefined) return Uint8Array.of(byte);
      return (state.isByteLevel && !isAdded ? byteLevel(text) : undefined) ?? encoder.encode(text);
    },
    ...(strip ? { strip } : {}),
  };
}

function stepsOf(
  { at, json }: TokenizerPart,
  state: { hasBytes: boolean; isByteLevel: boolean; isFused: boolean },
): readonly Step[] {
  switch (json.type) {
    case "ByteLevel":
      state.isByteLevel = true;
      return [];
    case "ByteFallback":
      state.hasBytes = true;
      return [];
    case "Fuse":
      state.isFused = true;
      return [];
    case "Replace": {
      const content = textAt(`${at}.content`, json.content);
      const pattern = new RegExp(patternAt(`${at}.pattern`, json.pattern), "gu");
      return [(token) => token.replaceAll(pattern, () => content)];
    }
    case "Metaspace": {
      const replacement = textAt(`${at}.replacement`, json.replacement ?? "▁");
      const keeps = json.prepend_scheme === "never" || json.add_prefix_space === false;
      return [
        (token, isFirst) =>
          (isFirst && !keeps && token.startsWith(replacement)
            ? token.slice(replacement.length)
            : token
          ).replaceAll(replacement, " "),
      ];
    }
    case "WordPiece": {
      const prefix = textAt(`${at}.prefix`, json.prefix ?? "##");
      const joined: Step = (token, isFirst) =>
        isFirst ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      return json.cleanup === false ? [joined] : [joined, cleaned];
    }
    default:
      throw unknownPart(
        `${at}.type`,
        json.type,
        "ByteLevel, ByteFallback, Fuse, Replace, Strip after Fuse, Metaspace, WordPiece",
      );
  }
}

function stripOf({ at, json }: TokenizerPart): { readonly character: string; readonly count: number } {
  const count = json.start ?? 0;
  if (typeof count !== "number") throw malformed(`${at}.start`, "a number", count);
  if (json.stop !== undefined && json.stop !== 0) throw unknownPart(`${at}.stop`, json.stop, "0");
  return { character: textAt(`${at}.content`, json.content), count };
}

/** A token that a stream writes. */
export interface WrittenToken {
  readonly text: string;
  /** Whether it is an added token. */
  readonly isAdded: boolean;
}

/**
 * A stream of tokens; `tokenOf` gives undefined for skipped tokens. `isContinued`: whether text stands before it, so that
 * no space is taken from its beginning.
 */
export function createTextStream(
  decoding: Decoding,
  tokenOf: (id: number) => WrittenToken | undefined,
  isContinued: boolean,
): TextStream {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const { character = "", count = 0 } = decoding.strip ?? {};
  let isFirst = !isContinued;
  let left = isContinued ? 0 : count;
  const stripped = (text: string): string => {
    let rest = text;
    while (left > 0 && rest !== "") {
      left = rest.startsWith(character) ? left - 1 : 0;
      if (rest.startsWith(character)) rest = rest.slice(character.length);
    }
    return rest;
  };
  return {
    push(id) {
      const token = tokenOf(id);
      if (token === undefined) return "";
      const bytes = decoding.bytesOf(token.text, isFirst, token.isAdded);
      isFirst = false;
      return stripped(decoder.decode(bytes, { stream: true }));
    },
    end: () => stripped(decoder.decode()),
  };
}
