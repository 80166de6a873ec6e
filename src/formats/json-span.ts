// Where values of JSON lie in its bytes, so that large ones become no strings before somebody asks for them. Only JSON without white
// space is searched, as JSON.stringify writes it.

/** First byte, and one past the last. */
export type Span = readonly [begin: number, end: number];

export const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;

/** One past the closing quote of the string whose opening quote is at `begin`; the length where there is none. */
export function endOfString(json: Uint8Array, begin: number): number {
  let at = begin + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, json.length);
}

function endOfValue(json: Uint8Array, begin: number): number {
  for (let at = begin, depth = 0; at < json.length; at++) {
    const byte = json[at]!;
    if (byte === QUOTE) at = endOfString(json, at) - 1;
    else if (byte === OPEN_OBJECT || byte === 0x5b) depth++;
    else if (byte === 0x7d || byte === 0x5d) {
      if (depth <= 1) return depth === 1 ? at + 1 : at;
      depth--;
    } else if (byte === COMMA && depth === 0) return at;
  }
  return json.length;
}

/** Where the value of the member `key` of the object at `begin` starts. */
function memberAt(json: Uint8Array, begin: number, key: Uint8Array): number | undefined {
  if (json[begin] !== OPEN_OBJECT) return undefined;
  for (let at = begin + 1; json[at] === QUOTE; at++) {
    const end = endOfString(json, at);
    if (json[end] !== COLON) return undefined;
    const isWanted = end - at - 2 === key.length && key.every((byte, i) => json[at + 1 + i] === byte);
    if (isWanted) return end + 1;
    at = endOfValue(json, end + 1);
    if (json[at] !== COMMA) return undefined;
  }
  return undefined;
}

/** The value of the first member of a path of keys, in bytes that are an object; undefined where none is found. */
export function spanOf(json: Uint8Array, ...path: readonly string[]): Span | undefined {
  let begin: number | undefined = 0;
  for (const key of path) {
    begin = memberAt(json, begin, new TextEncoder().encode(key));
    if (begin === undefined) return undefined;
  }
  return [begin, endOfValue(json, begin)];
}

/** The JSON with other bytes in place of spans, which come in their order. */
export function replaced(json: Uint8Array, parts: readonly { span: Span; by: string }[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { span, by } of parts) {
    pieces.push(json.subarray(at, span[0]), new TextEncoder().encode(by));
    at = span[1];
  }
  pieces.push(json.subarray(at));
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const piece of pieces) {
    bytes.set(piece, end);
    end += piece.length;
  }
  return bytes;
}

/** Bytes that stand for themselves after a backslash, and what the others stand for. */
const ESCAPED: Readonly<Record<number, number>> = {
  [QUOTE]: QUOTE,
  [BACKSLASH]: BACKSLASH,
  47: 0x2f,
  98: 8,
  102: 12,
  110: 10,
  114: 13,
  116: 9,
};

/** UTF-8 of a JSON string, quotes included: without a string of its length on the way where no character is written by its number. */
export function textBytes(string: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(string.length);
  let end = 0;
  for (let at = 1; at < string.length - 1; at++) {
    const byte = string[at]!;
    const is = byte === BACKSLASH ? ESCAPED[string[++at]!] : byte < 0x20 ? undefined : byte;
    if (is === undefined) return new TextEncoder().encode(parseBytes(string) as string);
    bytes[end++] = is;
  }
  return bytes.subarray(0, end);
}

/** JSON of bytes. Throws a SyntaxError or TypeError where they are not JSON in UTF-8. */
export const parseBytes = (json: Uint8Array): unknown =>
  JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json));
