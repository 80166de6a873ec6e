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

/** Where a file of data comes from. */
export type DataSource = BytesSource | NamedBytes;

const isNamed = (source: DataSource): source is NamedBytes =>
  Object(source).bytes instanceof Uint8Array && "name" in (source as object);

/** The bytes of a source, unpacked when gzip packed them. */
export async function readSource(source: DataSource, signal?: AbortSignal): Promise<NamedBytes> {
  const { name, bytes } = isNamed(source)
    ? source
    : { name: nameOf(source, "data"), bytes: await readBytes(source, signal) };
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
