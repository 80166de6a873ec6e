import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openSeekable } from "../../src/files/seek";

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "seek-"));
  await writeFile(join(folder, "data"), bytes);
});
afterAll(() => rm(folder, { recursive: true }));

/** A server that answers with ranges, or always with everything. */
const server = createServer((request, response) => {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
  if (request.url === "/whole" || from === undefined) return response.end(bytes);
  if (request.url !== "/ranges") return response.writeHead(404).end();
  response.writeHead(206, { "content-range": `bytes ${from}-${to}/${bytes.length}` });
  response.end(bytes.subarray(Number(from), Number(to) + 1));
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => server.close());
const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`;

async function* inChunks() {
  for (let at = 0; at < bytes.length; at += 300) yield bytes.subarray(at, at + 300);
}

test.for([
  ["bytes", () => bytes],
  ["an ArrayBuffer", () => bytes.slice().buffer],
  ["a Blob", () => new Blob([bytes])],
  ["a path", () => join(folder, "data")],
  ["a file URL", () => pathToFileURL(join(folder, "data"))],
  ["a Response", () => new Response(bytes)],
  ["an async iterable", inChunks],
  ["a server with ranges", () => url("ranges")],
  ["a server without ranges", () => new URL(url("whole"))],
] as const)("%s is read at any offset, in any order", async ([, source]) => {
  const file = await openSeekable(source(), "data");
  expect(file.size).toBe(1000);
  for (const [at, count] of [
    [990, 10],
    [0, 8],
    [3, 700],
    [1000, 0],
  ] as const) {
    const target = new Uint8Array(count);
    await file.read(at, target);
    expect(target).toEqual(bytes.subarray(at, at + count));
  }
  await expect(file.read(995, new Uint8Array(6))).rejects.toThrow(
    "data at byte 1000: truncated: expected 1 more bytes. Copy it again",
  );
  await file.close();
});

test("what cannot be opened is an error that names it", async () => {
  await expect(openSeekable(join(folder, "none"), "none")).rejects.toThrow(
    "none: cannot be read: ENOENT: no such file or directory",
  );
  await expect(openSeekable(folder, "folder")).rejects.toThrow("folder: is not a file");
  await expect(openSeekable(url("none"), "none")).rejects.toThrow("none: server answered 404 Not Found");
  await expect(openSeekable(7 as never, "seven")).rejects.toThrow(/^seven: cannot be read: .*got Number$/);
});
