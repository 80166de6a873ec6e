// The texts of an artifact. A tokenizer's tables are as many objects as a vocabulary has tokens, so they are parsed when a tokenizer is
// made of them and not kept; everything else is parsed at once.

import { FormatError } from "../errors";
import { parseBytes, replaced, spanOf } from "../formats/json-span";
import type { TextAssets } from "./source";

const OPEN_OBJECT = 0x7b;
const TOKENIZER = "tokenizer";

/** The assets of JSON in UTF-8. Throws FormatError when it is not JSON. */
export function assetsOf(json: Uint8Array, where: string): TextAssets {
  const span = spanOf(json, TOKENIZER);
  if (!span || json[span[0]] !== OPEN_OBJECT) return parsed(json, where);
  const assets = parsed(replaced(json, [{ span, by: "null" }]), where);
  const tokenizerBytes = json.subarray(...span);
  return Object.defineProperties(
    { ...assets },
    {
      [TOKENIZER]: { enumerable: true, get: () => parsed(tokenizerBytes, where) },
      tokenizerBytes: { value: tokenizerBytes },
    },
  );
}

function parsed(json: Uint8Array, where: string): Record<string, unknown> {
  try {
    const value = parseBytes(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // Told below, as all that is not an object.
  }
  throw new FormatError("its text is not a JSON object", { where });
}
