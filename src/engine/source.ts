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
  if (source instanceof ArrayBuffer) return bytesOf(source);
  if (typeof source === "string" || source instanceof URL) return readNamed(source);
  if (typeof Blob !== "undefined" && source instanceof Blob) {
    checkSize(source.size, "source");
    return new Uint8Array(await source.arrayBuffer());
  }
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
  try {
    if (!isFile) return await readResponse(await fetch(source));
    const { readFile, stat } = await import("node:fs/promises");
    const path = url.startsWith("file:") ? new URL(url) : url;
    checkSize((await stat(path)).size, url);
    return await readFile(path);
  } catch (cause) {
    throw unreadable(url, cause);
  }
}

async function readResponse(response: Response): Promise<Uint8Array> {
  const where = response.url || "response";
  if (!response.ok)
    throw new OctetteError(`server answered ${response.status} ${response.statusText}`, {
      code: "argument",
      where,
    });
  checkSize(Number(response.headers.get("content-length")), where);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw unreadable(where, cause);
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array))
      throw new OctetteError("a chunk is not bytes", {
        code: "argument",
        where: "source",
        expected: "chunks of type Uint8Array",
        got: Object.prototype.toString.call(chunk).slice(8, -1),
      });
    parts.push(chunk);
    length += chunk.length;
    checkSize(length, "source");
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Bytes that are already here, without a copy. */
export const bytesOf = (source: Uint8Array | ArrayBuffer): Uint8Array =>
  source instanceof Uint8Array ? source : new Uint8Array(source);

function checkSize(bytes: number, where: string): void {
  if (bytes > MAX_FILE_BYTES)
    throw new OctetteError("is too large", {
      code: "limit",
      where,
      expected: `at most ${MAX_FILE_BYTES} bytes`,
      got: `${bytes}`,
    });
}

const unreadable = (where: string, cause: unknown): OctetteError =>
  cause instanceof OctetteError
    ? cause
    : new OctetteError(`cannot be read: ${(cause as Error).message}`, { code: "argument", where });

/** What errors call a source. */
export function nameOf(source: BytesSource): string {
  if (typeof source === "string") return source;
  if (source instanceof URL) return source.href;
  if (typeof Response !== "undefined" && source instanceof Response && source.url) return source.url;
  return "model";
}
