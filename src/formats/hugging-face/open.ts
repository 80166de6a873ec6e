// Opens a folder as Hugging Face's libraries save one: settings, tensors and what tokenizing needs.

import { FormatError, OctetteError } from "../../errors";
import { type Folder, type FolderSource, folderOf } from "../../files/folder";
import { isJsonObject, type JsonObject } from "../json";
import type { LanguageSource, TextAssets } from "../language-source";
import { readModules } from "./embedding";
import { readObject, readText } from "./folder";
import { type FolderTensors, openTensors } from "./tensors";

const FOLDER_HINT = "Pass the folder that holds config.json and model.safetensors";

/** What of the text assets is parsed JSON, by file. */
const ASSETS = {
  tokenizer: "tokenizer.json",
  tokenizerConfig: "tokenizer_config.json",
  generationConfig: "generation_config.json",
} as const;

/**
 * Opens a folder of Hugging Face: config.json, model.safetensors or shards with an index, and, where they are there, tokenizer.json,
 * tokenizer_config.json, chat_template.jinja, generation_config.json, modules.json and what that names. Weights are not read yet.
 * A path in Node, a URL, a map of names to sources, or the Files that a page was given.
 * @throws FormatError where a file is damaged or hostile, OctetteError where one is missing or cannot be read.
 */
export async function openFolder(source: FolderSource): Promise<LanguageSource> {
  const folder = await folderOf(source, { hint: FOLDER_HINT });
  const { path, embedding, layers, lowersCase } = await readModules(folder);
  const config = await readObject(folder, `${path}config.json`);
  if (!config)
    throw new OctetteError("has no config.json", {
      code: "argument",
      where: folder.where,
      hint: FOLDER_HINT,
    });
  const text = await readAssets(
    async (name) => (await readObject(folder, path + name)) ?? readObject(folder, name),
    () => readText(folder, "chat_template.jinja"),
  );
  if (
    lowersCase &&
    text.tokenizer &&
    !/"lowercase":true|"Lowercase"/.test(JSON.stringify(text.tokenizer.normalizer))
  )
    throw new OctetteError("texts are made lower case, which the tokenizer does not do", {
      code: "unsupported",
      where: `${folder.where}/${path}sentence_bert_config.json, do_lower_case`,
      hint: "Set it to false, and make texts lower case yourself",
    });
  if (embedding && text.tokenizerConfig?.add_eos_token === true && !endsTexts(text.tokenizer?.post_processor))
    throw new OctetteError("texts end with a token that the tokenizer does not add", {
      code: "unsupported",
      where: `${folder.where}/tokenizer_config.json, add_eos_token`,
      hint: "Add it to the post_processor of tokenizer.json, or set add_eos_token to false",
    });
  const { entries, read, readRows, close } = await openAll(folder, path, layers);
  if (entries.size === 0) {
    await close();
    throw new FormatError("has no tensors", { where: folder.where });
  }
  return {
    where: folder.where,
    config,
    tensors: entries,
    read,
    readRows,
    text,
    ...(embedding && { embedding }),
    close,
  };
}

/** Whether a tokenizer's post_processor puts a token behind a text. */
function endsTexts(processor: unknown): boolean {
  if (!isJsonObject(processor)) return false;
  const { type, processors, single } = processor;
  if (type === "Sequence" && Array.isArray(processors)) return processors.some(endsTexts);
  const last = Array.isArray(single) ? single.at(-1) : undefined;
  return (
    type === "BertProcessing" ||
    type === "RobertaProcessing" ||
    (isJsonObject(last) && "SpecialToken" in last)
  );
}

/** Opens the tensors of a model and of `others`, whose tensors' names begin with their paths. */
async function openAll(folder: Folder, path: string, others: readonly string[]): Promise<FolderTensors> {
  const opened: [prefix: string, FolderTensors][] = [];
  const close = async () => {
    for (const [, one] of opened) await one.close();
  };
  try {
    opened.push(["", await openTensors(folder, path)]);
    for (const other of others) opened.push([other, await openTensors(folder, other)]);
  } catch (cause) {
    await close();
    throw cause;
  }
  const placeOf = (name: string): [string, FolderTensors] => {
    const [prefix, own] = opened.findLast(([start]) => name.startsWith(start))!;
    return [name.slice(prefix.length), own];
  };
  return {
    entries: new Map(
      opened.flatMap(([prefix, { entries }]) =>
        [...entries].map(([name, entry]) => [prefix + name, entry] as const),
      ),
    ),
    async read(name) {
      const [own, tensors] = placeOf(name);
      return tensors.read(own);
    },
    async readRows(name, begin, end) {
      const [own, tensors] = placeOf(name);
      return tensors.readRows(own, begin, end);
    },
    close,
  };
}

async function readAssets(
  object: (name: string) => Promise<JsonObject | undefined>,
  template: () => Promise<string | undefined>,
): Promise<TextAssets> {
  const assets: Record<string, unknown> = {};
  for (const [key, name] of Object.entries(ASSETS)) {
    const value = await object(name);
    if (value) assets[key] = value;
  }
  const chatTemplate = await template();
  return { ...assets, ...(chatTemplate !== undefined && { chatTemplate }) };
}
