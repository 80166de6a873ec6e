// Text and JSON files of a folder of Hugging Face.

import { FormatError } from "../../errors";
import type { Folder } from "../../files/folder";
import { isJsonObject, type JsonObject } from "../json";

/** Most bytes of a file that is read as text: large tokenizers have some tens of MB. */
export const MAX_TEXT_BYTES = 2 ** 28;

/** The text of a file; undefined where there is none. Throws FormatError where it is not UTF-8 or longer than MAX_TEXT_BYTES. */
export async function readText(folder: Folder, name: string): Promise<string | undefined> {
  const file = await folder.open(name);
  if (!file) return undefined;
  const where = `${folder.where}/${name}`;
  try {
    if (file.size > MAX_TEXT_BYTES)
      throw new FormatError("is too long", {
        where,
        expected: `at most MAX_TEXT_BYTES = ${MAX_TEXT_BYTES}`,
        got: `${file.size} bytes`,
      });
    const bytes = new Uint8Array(file.size);
    await file.read(0, bytes);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (cause instanceof TypeError) throw new FormatError("is not UTF-8", { where });
    throw cause;
  } finally {
    await file.close();
  }
}

/** A parsed JSON file; undefined where there is none. Throws FormatError where it is not JSON. */
export async function readJson(folder: Folder, name: string): Promise<unknown> {
  const text = await readText(folder, name);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`is not JSON (${(cause as Error).message})`, { where: `${folder.where}/${name}` });
  }
}

/** As readJson, of a file that holds an object. */
export async function readObject(folder: Folder, name: string): Promise<JsonObject | undefined> {
  const value = await readJson(folder, name);
  if (value === undefined || isJsonObject(value)) return value;
  throw new FormatError("is not an object", { where: `${folder.where}/${name}` });
}
