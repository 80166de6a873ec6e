// What tokenizer.json holds, checked as far as it is read. Files of this kind come from anywhere: every field is unknown until
// it has been looked at, and what is wrong is brieflyTold by its path in the file.

import { FormatError, OctetteError } from "../../errors";

/** Most ids of a vocabulary. */
export const MAX_VOCABULARY = 2 ** 20;
/** Deepest nesting of normalizers, pre-tokenizers, decoders or post-processors. */
const MAX_DEPTH = 8;

import { isJsonObject, type JsonObject } from "../../formats/json";

export type { JsonObject };

/** One part of tokenizer.json and its path, for errors. */
export interface TokenizerPart {
  readonly at: string;
  readonly json: JsonObject;
}

export function malformed(at: string, expected: string, got: unknown): FormatError {
  return new FormatError("malformed tokenizer", { where: at, expected, got: brieflyTold(got) });
}

/** A part that octette does not have. */
export function unknownPart(at: string, got: unknown, expected: string): OctetteError {
  return new OctetteError("tokenizer part that octette does not have", {
    code: "unsupported",
    where: at,
    expected,
    got: brieflyTold(got),
  });
}

const brieflyTold = (value: unknown): string =>
  typeof value === "string"
    ? JSON.stringify(value.slice(0, 100))
    : Array.isArray(value)
      ? "a list"
      : typeof value === "object" && value !== null
        ? "an object"
        : String(value);

/** Text of a token in tokenizer_config.json, which holds a string or an object with a string. */
export const tokenText = (token: unknown): string | undefined => {
  const content = isJsonObject(token) ? token.content : token;
  return typeof content === "string" ? content : undefined;
};

export function objectAt(at: string, value: unknown): JsonObject {
  if (!isJsonObject(value)) throw malformed(at, "an object", value);
  return value;
}

export function listAt(at: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(at, "a list", value);
  return value;
}

export function textAt(at: string, value: unknown): string {
  if (typeof value !== "string") throw malformed(at, "a text", value);
  return value;
}

export function idAt(at: string, value: unknown): number {
  if (!Number.isInteger(value) || (value as number) < 0)
    throw malformed(at, "an id, a whole number from 0", value);
  if ((value as number) >= MAX_VOCABULARY)
    throw new OctetteError("id beyond the largest vocabulary", {
      code: "limit",
      where: at,
      expected: `below MAX_VOCABULARY = ${MAX_VOCABULARY}`,
      got: String(value),
    });
  return value as number;
}

/** A part or the parts of its Sequence, whose list has the key `list`; empty for null. */
export function tokenizerParts(
  at: string,
  value: unknown,
  list: string,
  depth = 0,
): readonly TokenizerPart[] {
  if (value === null || value === undefined) return [];
  const json = objectAt(at, value);
  if (json.type !== "Sequence") return [{ at, json }];
  if (depth === MAX_DEPTH) throw malformed(at, `at most ${MAX_DEPTH} Sequences in each other`, "more");
  return listAt(`${at}.${list}`, json[list]).flatMap((item, i) =>
    tokenizerParts(`${at}.${list}[${i}]`, item, list, depth + 1),
  );
}

/** {"String": …} or {"Regex": …}, as a regular expression of Oniguruma. */
export function patternAt(at: string, value: unknown): string {
  const { String: literal, Regex: regex } = objectAt(at, value);
  if (typeof literal === "string") return literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return textAt(`${at}.Regex`, regex);
}
