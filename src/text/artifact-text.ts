// The texts of an artifact. A tokenizer's tables are as many objects as a vocabulary has tokens, so they are parsed when a tokenizer is
// made of them and not kept; everything else is parsed at once.

import { FormatError } from "../errors";
import type { TextAssets } from "./source";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const TOKENIZER = "tokenizer";

/** The assets of a JSON text. Throws FormatError when it is not JSON. */
export function assetsOf(json: string, where: string): TextAssets {
  const span = memberSpan(json, TOKENIZER);
  const [begin, end] = span ?? [0, 0];
  const assets = parsed(span ? `${json.slice(0, begin)}null${json.slice(end)}` : json, where);
  if (!span) return assets;
  return Object.defineProperty({ ...assets }, TOKENIZER, {
    enumerable: true,
    get: () => parsed(json.slice(begin, end), where),
  });
}

function parsed(json: string, where: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Told below, as all that is not an object.
  }
  throw new FormatError("its text is not a JSON object", { where });
}

/** Where the value of the first member of that name begins and ends, in JSON that is an object; what is no JSON has any or none. */
function memberSpan(json: string, name: string): readonly [number, number] | undefined {
  const key = `"${name}":`;
  for (let at = 0, depth = 0, begin = -1; at < json.length; at++) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      if (depth === 1 && begin < 0 && json.startsWith(key, at) && json[at + key.length] === "{") {
        at += key.length;
        begin = at;
        depth++;
      } else at = endOfString(json, at);
    } else if (char === 0x7b || char === 0x5b) depth++;
    else if (char === 0x7d || char === 0x5d) {
      depth--;
      if (begin >= 0 && depth === 1) return [begin, at + 1];
    }
  }
  return undefined;
}

/** Where the string that begins at a quote ends: at its last quote. */
function endOfString(json: string, begin: number): number {
  for (let end = json.indexOf('"', begin + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let slashes = 0;
    while (json.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return json.length;
}
