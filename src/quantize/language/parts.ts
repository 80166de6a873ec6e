// Finished parts of long work: kept in a folder beside the output, so that work that was interrupted goes on where it was, or in
// memory where there are no files. A part is whole or not there, and none of other work is taken for one's own.

import { FormatError } from "../../errors";
import { fileSystem, makeFolder, writeFileWhole } from "../../files/write-file";
import { readSealed, type SealKind, writeSealed } from "../../formats/seal";
import type { Tensor } from "../../graph/tensor";
import { nodeModule } from "../../node-module";

/** Tensors by name. */
export type Tensors = ReadonlyMap<string, Tensor>;

export interface KeptParts {
  /** The tensors of a part; undefined when the part is missing. */
  read(name: string): Promise<Tensors | undefined>;
  write(name: string, tensors: Tensors): Promise<void>;
  remove(name: string): Promise<void>;
  /** Removes all parts. */
  clear(): Promise<void>;
}

/** KeptParts that are gone when the work is. */
export function partsInMemory(): KeptParts {
  const kept = new Map<string, Tensors>();
  return {
    read: async (name) => kept.get(name),
    write: async (name, tensors) => void kept.set(name, tensors),
    remove: async (name) => void kept.delete(name),
    clear: async () => kept.clear(),
  };
}

const PART: SealKind = {
  format: "octette-part",
  version: 1,
  noun: "unfinished part",
  hint: "Remove the folder and begin again",
};
const ENDING = ".part";

/** KeptParts in the folder `OUTPUT.parts`; `key` identifies their whole. */
export async function partsBeside(output: string, key: string): Promise<KeptParts> {
  const folder = `${output}.parts`;
  const { readFile, readdir, rm, rmdir } = fileSystem();
  const { join } = nodeModule("node:path")!;
  await makeFolder(folder);
  const pathOf = (name: string) => join(folder, `${name}${ENDING}`);
  let last: { readonly name: string; readonly tensors: Tensors } | undefined;
  return {
    async read(name) {
      if (last?.name === name) return last.tensors;
      const bytes = await readFile(pathOf(name)).catch(() => undefined);
      if (!bytes) return undefined;
      try {
        const { tensors, metadata } = readSealed(
          new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
          PART,
          name,
        );
        if (metadata.key !== key) return undefined;
        last = { name, tensors };
        return tensors;
      } catch (error) {
        if (error instanceof FormatError) return undefined;
        throw error;
      }
    },
    async write(name, tensors) {
      if (last?.name === name) last = undefined;
      await writeFileWhole(pathOf(name), writeSealed(PART, tensors, { key }));
    },
    remove: (name) => rm(pathOf(name), { force: true }),
    async clear() {
      last = undefined;
      for (const file of await readdir(folder))
        if (file.endsWith(ENDING)) await rm(join(folder, file), { force: true });
      await rmdir(folder).catch(() => {});
    },
  };
}
