// Files that are either whole or not there: bytes go to a temporary file in the same folder, which takes the name
// only once they are on the disk. A crash, a full disk or Ctrl-C leaves the old file as it was.

import { randomBytes } from "node:crypto";
import { access, constants, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { OctetteError } from "../index";

/** Writes or replaces a file, whole. */
export async function writeFileWhole(path: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  signal?.throwIfAborted();
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes, { ...(signal ? { signal } : {}) });
      await file.sync();
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    if (signal?.aborted) throw signal.reason;
    throw unwritable(path, error);
  }
  await syncFolder(folder);
}

/** What the system said, without its call and its path: a temporary name means nothing to people. */
const unwritable = (path: string, error: unknown) =>
  new OctetteError(`cannot be written: ${(error as Error).message.split(", ")[0]}`, {
    code: "argument",
    where: path,
  });

/** The name itself is on the disk after this, where the system can say so. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

/** Throws before long work when a file could not be written at its end. */
export async function checkWritable(path: string): Promise<void> {
  const folder = dirname(path);
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory())
    throw new OctetteError("cannot be written: no such folder", {
      code: "argument",
      where: path,
      hint: `Make "${folder}" first`,
    });
  const target = await stat(path).catch(() => undefined);
  if (target?.isDirectory())
    throw new OctetteError("cannot be written: is a folder", { code: "argument", where: path });
  await access(folder, constants.W_OK).catch((error) => {
    throw unwritable(path, error);
  });
}

/** Makes a folder and those above it. One by one: Node's recursive mkdir never ends where a file system takes no folders. */
export async function makeFolder(path: string): Promise<void> {
  const kind = await stat(path).catch(() => undefined);
  if (kind?.isDirectory()) return;
  if (kind) throw new OctetteError("is no folder", { code: "argument", where: path });
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  await mkdir(path).catch((error: { code?: string }) => {
    if (error.code !== "EEXIST") throw unwritable(path, error);
  });
}
