// Where data come from: a path (in a page, what it is fetched from), whatever a model is loaded from, or bytes with a name.

import { type BytesSource, checkSize, MAX_FILE_BYTES, readBytes } from "../engine/source";
import { OctetteError } from "../errors";
import { gunzip, isGzip } from "../formats/inflate";
import { nodeModule } from "../node-module";

export interface NamedBytes {
  /** What errors call it. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Bytes that gzip made of them, where it did. */
  readonly packed?: number;
}

export type Source = BytesSource | NamedBytes;

/** The bytes of a source, unpacked when gzip packed them. */
export async function readSource(source: Source): Promise<NamedBytes> {
  const { name, bytes } = await readRaw(source);
  if (!isGzip(bytes)) return { name, bytes };
  return { name, bytes: gunzip(bytes, MAX_FILE_BYTES, name), packed: bytes.length };
}

async function readRaw(source: Source): Promise<NamedBytes> {
  if (typeof source === "string") return { name: source, bytes: await readPath(source) };
  const { name = "data", bytes } = Object(source) as Partial<NamedBytes>;
  if (bytes instanceof Uint8Array) return { name, bytes };
  return { name, bytes: await readBytes(source as BytesSource) };
}

async function readPath(path: string): Promise<Uint8Array> {
  const files = nodeModule("node:fs/promises");
  if (!files) return readBytes(path);
  const { readFile, stat } = files;
  try {
    const info = await stat(path);
    if (info.isDirectory())
      throw new OctetteError("is a folder", { code: "argument", where: path, expected: "a file" });
    checkSize(info.size, path);
    return await readFile(path);
  } catch (error) {
    if (error instanceof OctetteError) throw error;
    const reason = (error as { code?: string }).code === "ENOENT" ? "no such file" : (error as Error).message;
    throw new OctetteError(reason, { code: "argument", where: path });
  }
}

/** Whether a path names something that exists. */
export async function exists(path: string): Promise<boolean> {
  return (nodeModule("node:fs/promises")?.access(path) ?? Promise.reject()).then(
    () => true,
    () => false,
  );
}
