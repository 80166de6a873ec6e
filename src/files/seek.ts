// Files of which parts are read at offsets: of a model larger than memory, tensor after tensor. Paths in Node, Blobs, bytes, and
// URLs of servers that answer with ranges; of what can only be read in order, all bytes are kept, up to a limit.

import type { BytesSource } from "../engine/source";
import { classNameOf, FormatError, OctetteError, unreadable } from "../errors";
import { nodeModule } from "../node-module";

/** Most bytes that are kept of a source which can only be read from its beginning. */
export const MAX_UNSEEKABLE_BYTES = 2 ** 30;

/** A file that is read at offsets. */
export interface Seekable {
  /** All its bytes. */
  readonly size: number;
  /** Fills `target` with the bytes from `at` on. Throws FormatError where the file ends before that. */
  read(at: number, target: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** A source's own bytes from `at` on, as many as `count`, or fewer at its end. */
type Fill = (at: number, target: Uint8Array) => number | Promise<number>;

function seekable(where: string, size: number, fill: Fill, close: () => void | Promise<void>): Seekable {
  return {
    size,
    async read(at, target) {
      for (let done = 0; done < target.length; ) {
        const count = await fill(at + done, target.subarray(done));
        if (count === 0)
          throw new FormatError("truncated", {
            where,
            offset: at + done,
            expected: `${target.length - done} more bytes`,
            hint: "Copy it again",
          });
        done += count;
      }
    },
    close: async () => close(),
  };
}

/**
 * Opens a source for reading at offsets. Throws OctetteError "argument" where it cannot be read, "limit" where it cannot seek and
 * has more than MAX_UNSEEKABLE_BYTES.
 */
export async function openSeekable(source: BytesSource, where: string): Promise<Seekable> {
  try {
    return await open(source, where);
  } catch (cause) {
    throw unreadable(where, cause);
  }
}

async function open(source: BytesSource, where: string): Promise<Seekable> {
  if (source instanceof Uint8Array) return inMemory(where, source);
  // By name: to mention Response in Node loads its whole HTTP client.
  const kind = classNameOf(source);
  if (kind === "ArrayBuffer") return inMemory(where, new Uint8Array(source as ArrayBuffer));
  if (kind === "Blob" || kind === "File") return ofBlob(where, source as Blob);
  if (kind === "Response") return inMemory(where, await bytesOfResponse(where, source as Response));
  if (typeof source === "string" || source instanceof URL) {
    const url = typeof source === "string" ? source : source.href;
    return (await ofFile(where, url)) ?? ofUrl(where, url);
  }
  if (Symbol.asyncIterator in Object(source))
    return inMemory(where, await gather(where, source as AsyncIterable<Uint8Array>));
  throw new OctetteError("cannot be read", {
    code: "argument",
    where,
    expected: "bytes, Blob, Response, async iterable, path or URL",
    got: kind,
  });
}

/** Bytes that are here. */
const inMemory = (where: string, bytes: Uint8Array): Seekable =>
  seekable(
    where,
    bytes.length,
    (at, target) => {
      const part = bytes.subarray(at, at + target.length);
      target.set(part);
      return part.length;
    },
    () => {},
  );

const ofBlob = (where: string, blob: Blob): Seekable =>
  seekable(
    where,
    blob.size,
    async (at, target) => {
      const part = new Uint8Array(await blob.slice(at, at + target.length).arrayBuffer());
      target.set(part);
      return part.length;
    },
    () => {},
  );

/** A file by path or file URL; undefined without Node, and for other URLs. */
async function ofFile(where: string, url: string): Promise<Seekable | undefined> {
  const files = nodeModule("node:fs/promises");
  if (!files || /^https?:/.test(url)) return undefined;
  const file = await files.open(url.startsWith("file:") ? new URL(url) : url, "r");
  try {
    const info = await file.stat();
    if (!info.isFile()) throw new OctetteError("is not a file", { code: "argument", where });
    const fill: Fill = async (at, target) => (await file.read(target, 0, target.length, at)).bytesRead;
    return seekable(where, info.size, fill, () => file.close());
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

/** A URL, in ranges where its server answers with them. */
async function ofUrl(where: string, url: string): Promise<Seekable> {
  const rangeOf = (from: number, to: number) => fetch(url, { headers: { Range: `bytes=${from}-${to - 1}` } });
  const first = await rangeOf(0, 1);
  const size = Number(/\/(\d+)$/.exec(first.headers.get("content-range") ?? "")?.[1]);
  if (first.status !== 206 || !Number.isSafeInteger(size))
    return inMemory(where, await bytesOfResponse(where, first));
  await first.body?.cancel();
  const fill: Fill = async (at, target) => {
    if (at >= size) return 0;
    const part = await rangeOf(at, Math.min(at + target.length, size));
    if (part.status !== 206)
      throw new OctetteError(`server answered ${part.status} to a range`, { code: "argument", where });
    const bytes = new Uint8Array(await part.arrayBuffer()).subarray(0, target.length);
    target.set(bytes);
    return bytes.length;
  };
  return seekable(where, size, fill, () => {});
}

async function bytesOfResponse(where: string, response: Response): Promise<Uint8Array> {
  if (!response.ok)
    throw new OctetteError(`server answered ${response.status} ${response.statusText}`.trimEnd(), {
      code: "argument",
      where,
    });
  return response.body ? gather(where, chunksOf(response.body)) : new Uint8Array();
}

/** The chunks of a stream; not all engines iterate over one. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function gather(where: string, chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    if (!(chunk instanceof Uint8Array))
      throw new OctetteError("a chunk is not a Uint8Array", {
        code: "argument",
        where,
        got: classNameOf(chunk),
      });
    size += chunk.length;
    if (size > MAX_UNSEEKABLE_BYTES)
      throw new OctetteError("is too large to be kept, and cannot be read at offsets", {
        code: "limit",
        where,
        expected: `at most MAX_UNSEEKABLE_BYTES = ${MAX_UNSEEKABLE_BYTES}`,
        hint: "Pass a path, a Blob, or a URL whose server answers with ranges",
      });
    parts.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
