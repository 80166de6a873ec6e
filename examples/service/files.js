// Files that are whole or not there, and folders whose names are on the disk.

import { open, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes or replaces a file: a crash or a full disk leaves the one before. */
export async function replace(path, bytes) {
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncFolder(dirname(path));
}

/** New names in a folder are on the disk after this. */
export async function syncFolder(path) {
  const folder = await open(path, "r");
  await folder.sync().catch(() => {});
  await folder.close();
}
