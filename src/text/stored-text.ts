// The texts of a language model as an artifact has them (artifact-text.ts): JSON, and tensors of lines.

import { isJsonObject, type JsonObject } from "../formats/json";
import type { TextAssets } from "../formats/language-source";
import type { AppendedFacts } from "../formats/write-artifact";
import type { Tensor } from "../graph/tensor";
import { TEXT_PARTS } from "./artifact-text";
import { MAX_VOCABULARY } from "./tokenizer/json";

/** Bytes of a row: a vector would be read before the weights, and what lies before it kept until then. */
const ROW = 64;

/** Assets as an artifact has them. */
export function storedText(assets: TextAssets): Required<Pick<AppendedFacts, "text" | "texts">> {
  const texts = new Map<string, Tensor>();
  const model = assets.tokenizer?.model;
  if (!isJsonObject(model)) return { text: JSON.stringify(assets), texts };
  const names: Record<string, string> = {};
  for (const part of TEXT_PARTS) {
    const list = Array.isArray(model[part]) ? model[part] : part === "vocab" && inOrderOfIds(model);
    if (!list) continue;
    names[part] = `tokenizer.model.${part}`;
    texts.set(names[part], inLines(list));
  }
  const tokenizer = { ...assets.tokenizer, model: { ...model, ...names } };
  return { text: JSON.stringify({ ...assets, tokenizer }), texts };
}

/** Tokens by their ids; undefined where two have one id, and in old files, which do not say which model they are of. */
function inOrderOfIds({ type, vocab }: JsonObject): (string | undefined)[] | undefined {
  if (typeof type !== "string" || !isJsonObject(vocab)) return undefined;
  const tokens: (string | undefined)[] = [];
  for (const [token, id] of Object.entries(vocab)) {
    const isId = typeof id === "number" && Number.isInteger(id) && id >= 0 && id < MAX_VOCABULARY;
    if (!isId || tokens[id] !== undefined) return undefined;
    tokens[id] = token;
  }
  return tokens;
}

function inLines(list: readonly unknown[]): Tensor {
  const lines = Array.from(list, (element) => `${element === undefined ? "" : JSON.stringify(element)}\n`);
  const text = new TextEncoder().encode(lines.join(""));
  const rows = Math.max(2, Math.ceil(text.length / ROW));
  const data = new Uint8Array(ROW * rows);
  data.set(text);
  return { dtype: "u8", shape: [rows, ROW], data };
}
