// The texts of an artifact: JSON in its header, without a tokenizer's vocabulary and merges, which would be most of the header. Each of
// these two lists is a tensor of bytes, whose name stands in its place: each element is a line of JSON, and what follows the last line is
// padding. They are parsed when somebody asks for them.

import { FormatError } from "../errors";
import { isJsonObject, type JsonObject } from "../formats/json";
import type { TextAssets } from "../formats/language-source";
import { type Constant, isVector } from "../graph/tensor";

/** Lists in a tokenizer's model that are tensors. */
export const TEXT_PARTS = ["vocab", "merges"] as const;

/** A tokenizer with these lists as lines that are not parsed. */
export interface StoredTokenizer {
  /** tokenizer.json, with names of tensors in place of them. */
  readonly json: JsonObject;
  readonly model: JsonObject;
  /** Bytes of the tensors, none before they are read. A vocabulary is in the order of ids; the line of an id without a token is empty. */
  readonly tensors: Map<string, Uint8Array>;
}

/**
 * Assets from the header's JSON and the file's tensors, whose bytes are put to `stored` later. Without that, the header has the whole
 * tokenizer, as earlier files have it, or none. Throws FormatError where it is damaged.
 */
export function openText(
  header: string,
  constants: ReadonlyMap<string, Constant>,
  where: string,
): { readonly assets: TextAssets; readonly stored?: StoredTokenizer } {
  const assets = parsedText(header, where);
  if (!isJsonObject(assets)) throw new FormatError("its text is not a JSON object", { where });
  const { tokenizer: json } = assets;
  const model = isJsonObject(json) && json.model;
  if (!isJsonObject(json) || !isJsonObject(model)) return { assets };
  const tensors = new Map<string, Uint8Array>();
  const named = TEXT_PARTS.flatMap((part) => {
    const name = model[part];
    if (typeof name !== "string") return [];
    checkTensor(name, constants.get(name), where);
    tensors.set(name, new Uint8Array());
    return [[part, name] as const];
  });
  if (tensors.size === 0) return { assets };
  return {
    stored: { json, model, tensors },
    assets: {
      ...assets,
      get tokenizer() {
        const lists = named.map(([part, name]) => [part, parsedText(tensors.get(name)!, where, elementsIn)]);
        return { ...json, model: { ...model, ...Object.fromEntries(lists) } };
      },
    },
  };
}

function checkTensor(name: string, tensor: Constant | undefined, where: string): void {
  if (tensor?.dtype !== "u8" || isVector(tensor.shape))
    throw new FormatError("its text names a tensor that is none", {
      where: `${where}, tensor "${name}"`,
      expected: "u8 in rows",
      got: tensor ? `${tensor.dtype} [${tensor.shape}]` : "no tensor",
    });
}

/** Elements of a list; undefined for empty lines. */
const elementsIn = (text: string): unknown[] =>
  text
    .split("\n")
    .slice(0, -1)
    .map((line) => (line === "" ? undefined : JSON.parse(line)));

/** What is parsed of a text, or of its UTF-8. Throws FormatError where it is damaged. */
export function parsedText(
  text: string | Uint8Array,
  where: string,
  parse: (text: string) => unknown = JSON.parse,
): unknown {
  try {
    return parse(typeof text === "string" ? text : new TextDecoder("utf-8", { fatal: true }).decode(text));
  } catch (cause) {
    throw new FormatError(`its text is damaged (${(cause as Error).message})`, { where });
  }
}
