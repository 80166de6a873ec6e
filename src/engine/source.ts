// Bytes from wherever they come, in order: a reader fills the memory it is given, so that a large tensor is read
// straight to its place. In Node a file is read without a copy, and nothing of Node is reached elsewhere.

import { classNameOf, OctetteError, unreadable } from "../errors";
import type { Reading } from "../graph/tensor";
import { nodeFile } from "../node-module";

/** What a model can be loaded from. Strings and URLs are files in Node and are fetched in a page. */
export type BytesSource =
  | Uint8Array
  | ArrayBuffer
  | Blob
  | Response
  | AsyncIterable<Uint8Array>
  | string
  | URL;

/** Largest file that is read, in bytes: little more fits into a typed array or a 32-bit memory. */
export const MAX_FILE_BYTES = 2 ** 31;

export interface ByteReader {
  /** All bytes there are, where that is known before they are read. */
  readonly size?: number;
  /** Fills `target` with the next bytes and says how many those were: fewer only at the end. */
  read(target: Uint8Array): number | Promise<number>;
  close(): unknown;
}

/** Carries a reading out. */
export async function read<T>(reading: Reading<T>, reader: ByteReader): Promise<T> {
  try {
    let step = reading.next(0);
    while (!step.done) {
      const { value } = step;
      step = reading.next((await (value instanceof Uint8Array ? reader.read(value) : value)) ?? 0);
    }
    return step.value;
  } finally {
    reading.return(undefined as never);
    await reader.close();
  }
}

/** As `read`, from bytes that are already here. */
export function readSync<T>(reading: Reading<T>, bytes: Uint8Array): T {
  const reader = bytesReader(bytes);
  let step = reading.next(0);
  while (!step.done) step = reading.next(reader.read(step.value as Uint8Array));
  return step.value;
}

/** Opens a source. Throws an OctetteError that names it and what stopped it; the signal's reason once that is aborted. */
export async function openReader(source: BytesSource, signal?: AbortSignal): Promise<ByteReader> {
  signal?.throwIfAborted();
  const reader = await open(source, signal);
  if (!signal) return reader;
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
  );
  aborted.catch(() => {});
  return {
    ...reader,
    read: (target) => Promise.race([aborted, reader.read(target)]),
    // One that waits for a chunk closes after it, which may never come.
    close: () => (signal.aborted ? void reader.close() : reader.close()),
  };
}

async function open(source: BytesSource, signal: AbortSignal | undefined): Promise<ByteReader> {
  if (typeof source === "string" || source instanceof URL) return openNamed(source, signal);
  // By name: to mention Response in Node loads its whole HTTP client.
  const kind = classNameOf(source);
  if (source instanceof Uint8Array || kind === "ArrayBuffer")
    return bytesReader(bytesOf(source as Uint8Array | ArrayBuffer));
  if (kind === "Response") return responseReader(source as Response);
  if (kind === "Blob" || kind === "File") {
    const { size } = source as Blob;
    checkSize(size);
    return { ...chunkReader(chunksOf((source as Blob).stream())), size };
  }
  if (Symbol.asyncIterator in Object(source))
    return chunkReader((source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]());
  throw new OctetteError("cannot be read", {
    code: "argument",
    where: "source",
    expected: "bytes, Blob, Response, async iterable, path or URL",
    got: kind,
  });
}

/** All bytes of a source. */
export async function readBytes(source: BytesSource, signal?: AbortSignal): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const reader = await openReader(source, signal);
  return read(readAll(reader.size), reader);
}

/** Bytes that are read at once where nobody knows how many there are. */
const CHUNK_BYTES = 1 << 16;

/** All bytes, of which there are `size`, if that is known. */
export function* readAll(size?: number): Reading<Uint8Array> {
  if (size !== undefined) {
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, yield bytes);
  }
  let bytes = new Uint8Array(CHUNK_BYTES);
  for (let length = 0; ; ) {
    length += yield bytes.subarray(length);
    if (length < bytes.length) return bytes.subarray(0, length);
    checkSize(length + 1);
    const larger = new Uint8Array(Math.min(2 * length, MAX_FILE_BYTES + 1));
    larger.set(bytes);
    bytes = larger;
  }
}

/** The first bytes, and a reader that begins with them again. */
export async function peek(reader: ByteReader, count: number): Promise<[Uint8Array, ByteReader]> {
  const first = new Uint8Array(count);
  try {
    const head = bytesReader(first.subarray(0, await reader.read(first)));
    const again: ByteReader = {
      ...reader,
      async read(target) {
        const known = head.read(target);
        return known + (await reader.read(target.subarray(known)));
      },
    };
    return [first, again];
  } catch (cause) {
    await reader.close();
    throw cause;
  }
}

/** Bytes that are already here, without a copy. */
export function bytesOf(source: Uint8Array | ArrayBuffer): Uint8Array {
  if (source instanceof Uint8Array) return source;
  if (classNameOf(source) === "ArrayBuffer") return new Uint8Array(source);
  throw new OctetteError("takes bytes; load() takes paths and URLs, too", {
    code: "argument",
    got: classNameOf(source),
  });
}

interface SyncReader extends ByteReader {
  read(target: Uint8Array): number;
}

function bytesReader(bytes: Uint8Array): SyncReader {
  let at = 0;
  return {
    size: bytes.length,
    read(target) {
      const part = bytes.subarray(at, at + target.length);
      target.set(part);
      at += part.length;
      return part.length;
    },
    close() {},
  };
}

async function openNamed(source: string | URL, signal: AbortSignal | undefined): Promise<ByteReader> {
  const url = typeof source === "string" ? source : source.href;
  try {
    return nodeFile(url, checkSize, unreadable) ?? responseReader(await fetch(source, signal && { signal }));
  } catch (cause) {
    signal?.throwIfAborted();
    throw unreadable(url, cause);
  }
}

function responseReader(response: Response): ByteReader {
  const where = response.url || "response";
  if (!response.ok)
    throw new OctetteError(`server answered ${response.status} ${response.statusText}`, {
      code: "argument",
      where,
    });
  checkSize(Number(response.headers.get("content-length")), where);
  return chunkReader(chunksOf(response.body), where);
}

/** What is read of an iterator, as a stream's reader has it, too. */
interface Chunks {
  next(): Promise<{ readonly done?: boolean | undefined; readonly value?: unknown }>;
  return?(): unknown;
}

/** The chunks of a stream; not all engines iterate over one. */
function chunksOf(stream: ReadableStream<Uint8Array> | null): Chunks {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return {
    next: async () => (await (reader ??= stream?.getReader())?.read()) ?? { done: true },
    // One that failed has said so already.
    return: () => reader?.cancel().catch(() => {}),
  };
}

function chunkReader(chunks: Chunks, where = "source"): ByteReader {
  let chunk: Uint8Array | undefined;
  const next = async () => {
    try {
      const { done, value } = await chunks.next();
      if (done) return undefined;
      if (value instanceof Uint8Array) return value;
      throw new OctetteError("a chunk is not a Uint8Array", {
        code: "argument",
        where,
        got: classNameOf(value),
      });
    } catch (cause) {
      throw unreadable(where, cause);
    }
  };
  return {
    async read(target) {
      let count = 0;
      while (count < target.length) {
        if (!chunk?.length && !(chunk = await next())) break;
        const part = chunk.subarray(0, target.length - count);
        target.set(part, count);
        count += part.length;
        chunk = chunk.subarray(part.length);
      }
      return count;
    },
    close: () => chunks.return?.(),
  };
}

/** Throws where a file is larger than MAX_FILE_BYTES. */
export function checkSize(bytes: number, where = "source"): void {
  if (bytes > MAX_FILE_BYTES)
    throw new OctetteError("is too large", {
      code: "limit",
      where,
      expected: `at most ${MAX_FILE_BYTES} bytes`,
      got: `${bytes}`,
    });
}

/** What errors call a source: its path, URL or file name. */
export function nameOf(source: BytesSource, otherwise = "model"): string {
  if (typeof source === "string") return source;
  const { href, url, name } = Object(source) as Partial<URL & Response & File>;
  return href || url || name || otherwise;
}
