// The files of a model's folder by name: of a directory in Node, of a URL, of a map of names to sources, or of the Files that a page
// was given. Names inside of files are checked before anything is opened by them.

import type { BytesSource } from "../engine/source";
import { FormatError, OctetteError } from "../errors";
import { nodeModule } from "../node-module";
import { openSeekable, type Seekable } from "./seek";

/** A model's folder: a directory's path, a URL, sources by file name, or Files. */
export type FolderSource =
  | string
  | URL
  | ReadonlyMap<string, BytesSource>
  | Readonly<Record<string, BytesSource>>
  | Iterable<File>;

/** Most letters of a file's name inside a folder. */
const MAX_NAME = 1024;

/** Files by their names, which may have folders in them: `1_Pooling/config.json`. */
export interface Folder {
  readonly where: string;
  /** Opens a file; undefined where there is none of that name. */
  open(name: string): Promise<Seekable | undefined>;
}

export interface FolderOptions {
  /** Of a directory: whether a link may lead to a file outside of it, as those of Hugging Face's cache do; default true. */
  readonly links?: boolean;
  /** What to pass, for the error where there is no such directory. */
  readonly hint?: string;
}

/** The folder that a source is. Throws OctetteError "argument" where it is none. */
export async function folderOf(source: FolderSource, options: FolderOptions = {}): Promise<Folder> {
  if (typeof source === "string" || source instanceof URL) return namedFolder(source, options);
  if (source instanceof Map) return folderOfSources(source, "folder");
  if (Object(source) !== source || ArrayBuffer.isView(source) || source instanceof ArrayBuffer)
    throw new OctetteError("is not a folder", {
      code: "argument",
      where: "a model's folder",
      expected: "a path, a URL, a map of file names to sources, or a list of File",
      got: source === null ? "null" : typeof source,
    });
  if (Symbol.iterator in source) return folderOfFiles([...(source as Iterable<File>)]);
  return folderOfSources(new Map(Object.entries(source as Record<string, BytesSource>)), "folder");
}

function folderOfSources(sources: ReadonlyMap<string, BytesSource>, where: string): Folder {
  return {
    where,
    async open(name) {
      const source = sources.get(checkName(name, where));
      return source === undefined ? undefined : openSeekable(source, `${where}/${name}`);
    },
  };
}

/** Files as a page has them: by their paths below the folder that was chosen, or by their names. */
function folderOfFiles(files: readonly File[]): Folder {
  const paths = files.map((file) => file.webkitRelativePath || file.name);
  const [top] = paths[0]?.split("/") ?? [];
  const below = paths.every((path) => path.startsWith(`${top}/`));
  const named = files.map((file, i) => [below ? paths[i]!.slice(top!.length + 1) : paths[i]!, file] as const);
  return folderOfSources(new Map(named), below ? top! : "folder");
}

async function namedFolder(source: string | URL, { links = true, hint }: FolderOptions): Promise<Folder> {
  const where = typeof source === "string" ? source : source.href;
  const files = nodeModule("node:fs/promises");
  const path = nodeModule("node:path");
  if (!files || !path || /^https?:/.test(where)) return urlFolder(where);
  const directory = where.startsWith("file:") ? decodeURIComponent(new URL(where).pathname) : where;
  const isDirectory = await files.stat(directory).then(
    (info) => info.isDirectory(),
    () => undefined,
  );
  if (!isDirectory)
    throw new OctetteError(isDirectory === undefined ? "there is no such folder" : "is not a folder", {
      code: "argument",
      where,
      ...(hint === undefined ? {} : { hint }),
    });
  return {
    where,
    async open(name) {
      const file = path.join(directory, checkName(name, where));
      const exists = await files.stat(file).then(
        (info) => info.isFile(),
        () => false,
      );
      if (exists && !links) await checkInside(directory, name, where);
      return exists ? openSeekable(file, `${where}/${name}`) : undefined;
    },
  };
}

/** Refuses a name that a link leads out of the directory. */
async function checkInside(directory: string, name: string, where: string): Promise<void> {
  const [files, path] = [nodeModule("node:fs/promises")!, nodeModule("node:path")!];
  const [top, target] = [await files.realpath(directory), await files.realpath(path.join(directory, name))];
  if (target.startsWith(path.join(top, path.sep))) return;
  throw new FormatError("a link leads out of the folder", {
    where: `${where}/${name}`,
    expected: "a file below it",
    got: target,
  });
}

/** A folder of a server, such as `https://huggingface.co/NAME/resolve/main`. A file that it answers 404 to is absent. */
function urlFolder(where: string): Folder {
  const base = where.replace(/\/+$/, "");
  return {
    where: base,
    async open(name) {
      const url = `${base}/${checkName(name, where)}`;
      const head = await fetch(url, { method: "HEAD" }).catch((cause) => {
        throw new OctetteError(`cannot be read: ${(cause as Error).message}`, {
          code: "argument",
          where: url,
        });
      });
      return head.status === 404 ? undefined : openSeekable(url, url);
    },
  };
}

/** Refuses names that lead out of the folder. */
export function checkName(name: string, where: string): string {
  const parts = name.split("/");
  const isSafe =
    name.length <= MAX_NAME &&
    !/[\\:\0?#%]/.test(name) &&
    parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (isSafe) return name;
  throw new FormatError("a file's name leads out of the folder", {
    where,
    expected: "names of files below it",
    got: JSON.stringify(name.slice(0, MAX_NAME)),
  });
}
