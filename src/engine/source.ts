// Bytes of a model, from wherever they come.

import { OctetteError } from "../errors";

/** What a model can be loaded from. Strings and URLs are files in Node and are fetched in a page. */
export type BytesSource =
  | Uint8Array
  | ArrayBuffer
  | Blob
  | Response
  | AsyncIterable<Uint8Array>
  | string
  | URL;

/** Largest file that is read into memory, in bytes. */
export const MAX_FILE_BYTES = 2 ** 31;

/** All bytes of a source. Throws an OctetteError that names the file and what stopped it. */
export async function readBytes(source: BytesSource): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof source === "string" || source instanceof URL) return readNamed(source);
  if (typeof Blob !== "undefined" && source instanceof Blob)
    return new Uint8Array(await source.arrayBuffer());
  if (typeof Response !== "undefined" && source instanceof Response) return readResponse(source);
  if (Symbol.asyncIterator in Object(source)) return collect(source as AsyncIterable<Uint8Array>);
  throw new OctetteError("cannot be read", {
    code: "argument",
    where: "source",
    expected: "bytes, Blob, Response, async iterable, path or URL",
    got: Object.prototype.toString.call(source),
  });
}

async function readNamed(source: string | URL): Promise<Uint8Array> {
  const url = typeof source === "string" ? source : source.href;
  const isFile = typeof process !== "undefined" && process.versions?.node && !/^https?:/.test(url);
  if (!isFile) return readResponse(await fetch(source));
  const { readFile, stat } = await import("node:fs/promises");
  const path = url.startsWith("file:") ? new URL(url) : url;
  try {
    const { size } = await stat(path);
    if (size > MAX_FILE_BYTES)
      throw new OctetteError("file is too large", {
        code: "limit",
        where: url,
        expected: `at most ${MAX_FILE_BYTES} bytes`,
        got: `${size}`,
      });
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof OctetteError) throw cause;
    throw new OctetteError(`cannot be read: ${(cause as Error).message}`, { code: "argument", where: url });
  }
}

async function readResponse(response: Response): Promise<Uint8Array> {
  if (!response.ok)
    throw new OctetteError(`server answered ${response.status} ${response.statusText}`, {
      code: "argument",
      where: response.url,
    });
  return new Uint8Array(await response.arrayBuffer());
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.length;
    if (length > MAX_FILE_BYTES)
      throw new OctetteError("stream is too long", {
        code: "limit",
        where: "source",
        expected: `at most ${MAX_FILE_BYTES} bytes`,
      });
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What errors call a source. */
export function nameOf(source: BytesSource): string {
  if (typeof source === "string") return source;
  if (source instanceof URL) return source.href;
  if (typeof Response !== "undefined" && source instanceof Response && source.url) return source.url;
  return "model";
}
