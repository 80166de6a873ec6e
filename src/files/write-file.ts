// Files that are either whole or not there: bytes go to a temporary file in the same folder, which takes the name
// only once they are on the disk. A crash, a full disk or Ctrl-C leaves the old file as it was. Node's file system is
// reached only when something is written, so the module loads anywhere.

import { OctetteError } from "../errors";
import { nodeModule } from "../node-module";

/** Node's file system; an error where there is none. */
export function fileSystem() {
  const files = nodeModule("node:fs/promises");
  if (files) return files;
  throw new OctetteError("there is no file system here", {
    code: "unsupported",
    where: "files",
    expected: "Node, Bun or Deno",
  });
}
const paths = () => nodeModule("node:path")!;

/** Takes the next bytes of a file. */
export type Append = (bytes: Uint8Array) => Promise<void>;
/** Bytes of a file, or what appends them one part after the other. */
export type FileContent = Uint8Array | ((append: Append) => Promise<void>);

/** Writes or replaces a file, whole. A symbolic link is kept: what it points to is replaced, or made. */
export async function writeFileWhole(path: string, bytes: FileContent, signal?: AbortSignal): Promise<void> {
  await replaceWhole(await targetOf(path), bytes, async () => {}, signal);
}

/** Symbolic links that are followed one after the other, as many as Linux does. */
const MAX_LINKS = 40;

/** The file that a path means: where it is a symbolic link, what that points to, whether it is there or not. */
async function targetOf(path: string): Promise<string> {
  const { readlink, realpath } = fileSystem();
  const { dirname, resolve } = paths();
  let target = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const link = await readlink(target).catch(() => undefined);
    if (link === undefined) return target;
    const folder = dirname(target);
    target = resolve(await realpath(folder).catch(() => folder), link);
  }
  throw new OctetteError("cannot be written: its links go in a circle", { code: "argument", where: path });
}

/**
 * As writeFileWhole, but that a link is replaced itself; `before` is done when the bytes are on the disk and have not yet taken the
 * name.
 */
export async function replaceWhole(
  path: string,
  content: FileContent,
  before: () => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const { lstat, open, rename, unlink } = fileSystem();
  const { basename, dirname, join } = paths();
  const folder = dirname(path);
  checkKind(path, await lstat(path).catch(() => undefined));
  await removeLeftovers(path);
  const unique = `${process.pid}.${crypto.randomUUID().slice(0, 8)}`;
  const temporary = join(folder, `.${basename(path)}.${unique}.tmp`);
  signal?.throwIfAborted();
  try {
    const file = await open(temporary, "wx");
    try {
      const append: Append = (bytes) => file.appendFile(bytes, { ...(signal ? { signal } : {}) });
      await (typeof content === "function" ? content(append) : append(content));
      await file.sync();
    } finally {
      await file.close();
    }
    signal?.throwIfAborted();
    await before();
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    if (signal?.aborted) throw signal.reason;
    throw unwritable(path, error);
  }
  await syncFolder(folder);
}

/** Removes what processes that were killed while they wrote this file have left of it. */
export async function removeLeftovers(path: string): Promise<void> {
  const { readdir, unlink } = fileSystem();
  const { basename, dirname, join } = paths();
  const [folder, name] = [dirname(path), basename(path)];
  for (const file of await readdir(folder).catch(() => [])) {
    const isOurs = file.startsWith(`.${name}.`) && file.endsWith(".tmp");
    const [, writer] = isOurs ? (/^\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(file.slice(name.length + 1)) ?? []) : [];
    if (writer !== undefined && !isRunning(Number(writer))) await unlink(join(folder, file)).catch(() => {});
  }
}

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch (error) {
    // EPERM: it runs, and is another's.
    return (error as { code?: string }).code !== "ESRCH";
  }
}

/** What to do about what the system said. */
const waysOut: Readonly<Record<string, string>> = {
  ENOSPC: "Free some space, or name another disk",
  EDQUOT: "Free some space, or name another disk",
  EROFS: "Name a folder on a disk that takes files",
  EACCES: "Name a folder that you may write to",
  EPERM: "Name a folder that you may write to",
};

/** What the system said, without its call and its path: a temporary name means nothing to people. */
export function unwritable(path: string, error: unknown): OctetteError {
  if (error instanceof OctetteError) return error;
  const { code = "", message } = error as { code?: string; message: string };
  const hint = waysOut[code];
  return new OctetteError(`cannot be written: ${message.split(", ")[0]}`, {
    code: "argument",
    where: path,
    ...(hint ? { hint } : {}),
  });
}

/** The name itself is on the disk after this, where the system can say so. */
async function syncFolder(folder: string): Promise<void> {
  const { open } = fileSystem();
  const handle = await open(folder, "r").catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

type Kind = Record<"isFile" | "isDirectory" | "isSymbolicLink", () => boolean>;

/** Throws where what has a name is no file: a device such as /dev/null would be replaced, for all programs. */
function checkKind(path: string, there: Kind | undefined): void {
  if (!there || there.isFile() || there.isSymbolicLink()) return;
  const what = there.isDirectory() ? "a folder" : "a device, a pipe or a socket";
  throw new OctetteError(`cannot be written: is ${what}`, {
    code: "argument",
    where: path,
    expected: "a file, or a new name",
  });
}

/** Throws before long work when a file could not be written at its end. */
export async function checkWritable(path: string): Promise<void> {
  const { access, constants, stat } = fileSystem();
  const { dirname } = paths();
  const folder = dirname(await targetOf(path));
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory())
    throw new OctetteError("cannot be written: no such folder", {
      code: "argument",
      where: path,
      hint: `Make "${folder}" first`,
    });
  checkKind(path, await stat(path).catch(() => undefined));
  await access(folder, constants.W_OK).catch((error) => {
    throw unwritable(path, error);
  });
}

/** Makes a folder and those above it. One by one: Node's recursive mkdir never ends where a file system takes no folders. */
export async function makeFolder(path: string): Promise<void> {
  const { mkdir, stat } = fileSystem();
  const { dirname } = paths();
  const kind = await stat(path).catch(() => undefined);
  if (kind?.isDirectory()) return;
  if (kind) throw new OctetteError("is not a folder", { code: "argument", where: path });
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  await mkdir(path).catch((error: { code?: string }) => {
    if (error.code !== "EEXIST") throw unwritable(path, error);
  });
}
