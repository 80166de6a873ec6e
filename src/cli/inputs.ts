// The files that a command was told to read. What it writes must not replace one of them: the only copy of a float model, or a data
// set, would be lost.

import { realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { listFolder } from "../data/folders";
import { siblingLabels } from "../data/open-data";
import { OctetteError } from "../errors";
import { isPictureName } from "../pictures/options";
import { isSoundName } from "../sound/options";
import type { Command } from "./command";

/** Whether a file of a folder is read: as a sample, or as a part of a language model. */
const isReadInFolders = (name: string) =>
  isPictureName(name) || isSoundName(name) || /\.(json|jinja|safetensors)$/i.test(name);

/** Files by what a file system knows them by, so that links and names in other letters are the same file. */
export class Inputs {
  /** The path that was given for each. */
  readonly #given = new Map<string, string>();
  readonly #folders: string[] = [];

  /** The files among a command's arguments. */
  static async of(
    command: Command,
    positionals: readonly string[],
    values: Readonly<Record<string, unknown>>,
  ): Promise<Inputs> {
    const inputs = new Inputs();
    const read = Object.entries(command.options).flatMap(([name, { reads }]) =>
      reads ? [values[name] ?? []].flat() : [],
    );
    for (const path of [...positionals, ...read].flatMap((text) => pathsIn(String(text)))) {
      await inputs.#add(path);
      const labels = await siblingLabels(path);
      if (labels !== undefined) await inputs.#add(labels);
    }
    return inputs;
  }

  async #add(path: string): Promise<void> {
    if ((await stat(path).catch(() => undefined))?.isDirectory()) this.#folders.push(path);
    for (const key of await keysOf(path)) this.#given.set(key, path);
  }

  /** Throws where a file that is to be written is one of them. */
  async check(output: string): Promise<void> {
    const keys = await keysOf(output);
    const input =
      keys.map((key) => this.#given.get(key)).find((path) => path !== undefined) ??
      (await this.#inFolders(output, keys));
    if (input === undefined) return;
    throw new OctetteError("would replace a file that is read", {
      code: "argument",
      where: output,
      ...(input === output ? {} : { got: `the same file as ${input}` }),
      hint: "Name another file, or take --force",
    });
  }

  /** The file with one of the keys in a folder that is read. Folders are listed only for a name that is read in one. */
  async #inFolders(output: string, keys: readonly string[]): Promise<string | undefined> {
    if (keys.length === 0 || !isReadInFolders(output)) return undefined;
    for (const folder of this.#folders)
      for (const { name } of (await listFolder(folder)).files) {
        const path = join(folder, name);
        if (isReadInFolders(name) && (await keysOf(path)).some((key) => keys.includes(key))) return path;
      }
    return undefined;
  }
}

/** What an argument may name: a file, IMAGES,LABELS, or NAME=FILE. */
const pathsIn = (text: string): string[] => [text, ...text.split(","), text.slice(text.lastIndexOf("=") + 1)];

/** Device and number of a file, and its real path for file systems that number none; nothing where it is not there. */
async function keysOf(path: string): Promise<string[]> {
  const info = await stat(path, { bigint: true }).catch(() => undefined);
  if (!info?.isFile()) return [];
  const real = await realpath(path).catch(() => path);
  return [...(info.ino === 0n ? [] : [`${info.dev} ${info.ino}`]), real];
}
