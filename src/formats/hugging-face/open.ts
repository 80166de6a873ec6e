// Opens a folder as Hugging Face's libraries save one: settings, tensors and what tokenizing needs.

import { FormatError, OctetteError } from "../../errors";
import { type FolderSource, folderOf } from "../../files/folder";
import type { LanguageSource, TextAssets } from "../../text/source";
import type { JsonObject } from "../json";
import { readModules } from "./embedding";
import { readObject, readText } from "./folder";
import { openTensors } from "./tensors";

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
  const { path, embedding } = await readModules(folder);
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
  const { entries, read, readRows, close } = await openTensors(folder, path);
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
