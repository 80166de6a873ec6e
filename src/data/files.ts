// Where data come from: whatever a model is loaded from, or bytes with a name.

import { type BytesSource, MAX_FILE_BYTES, nameOf, readBytes } from "../engine/source";
import { gunzip, isGzip } from "../formats/inflate";
import { nodeModule } from "../node-module";

/** The bytes of a file, and its name. */
export interface NamedBytes {
  /** What errors call it. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Bytes that gzip made of them, where it did. */
  readonly packed?: number;
}

/** Where data come from: a file, or a folder, by its path in Node or as the Files that a page was given. */
export type DataSource = BytesSource | NamedBytes | Iterable<File>;

const isNamed = (source: DataSource): source is NamedBytes =>
  Object(source).bytes instanceof Uint8Array && "name" in (source as object);

/** The bytes of a source, unpacked when gzip packed them. */
export async function readSource(source: DataSource, signal?: AbortSignal): Promise<NamedBytes> {
  const { name, bytes } = isNamed(source)
    ? source
    : {
        name: nameOf(source as BytesSource, "data"),
        bytes: await readBytes(source as BytesSource, signal),
      };
  if (!isGzip(bytes)) return { name, bytes };
  return { name, bytes: gunzip(bytes, MAX_FILE_BYTES, name), packed: bytes.length };
}

/** Whether a path names something that exists. */
export async function exists(path: string): Promise<boolean> {
  return (nodeModule("node:fs/promises")?.access(path) ?? Promise.reject()).then(
    () => true,
    () => false,
  );
}

/** What a name means in a file system, and what errors call it. */
export function pathOf(source: string | URL): { readonly where: string; readonly path: string } {
  const where = typeof source === "string" ? source : source.href;
  return { where, path: where.startsWith("file:") ? decodeURIComponent(new URL(where).pathname) : where };
}

/** Whether a source is a folder: a directory, or a list of Files. */
export function isFolder(source: DataSource): boolean {
  if (typeof source === "string" || source instanceof URL) {
    const { where, path } = pathOf(source);
    const info = /^https?:/.test(where)
      ? undefined
      : nodeModule("node:fs")?.statSync(path, { throwIfNoEntry: false });
    return info?.isDirectory() ?? false;
  }
  return (
    typeof source === "object" && source !== null && Symbol.iterator in source && !ArrayBuffer.isView(source)
  );
}
