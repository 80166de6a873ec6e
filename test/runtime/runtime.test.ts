// Loading: from everything bytes can come from, with wasm from everywhere it can come from, and what is said where they
// do not come.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import baselineBytes from "../../build/wasm/baseline.wasm";
import commonBytes from "../../build/wasm/common.wasm";
import { inlined } from "../../src/engine/inlined";
import type { Model } from "../../src/engine/model";
import type { BytesSource } from "../../src/engine/source";
import type { WasmSources } from "../../src/engine/wasm";
import { writeArtifact } from "../../src/formats/octette";
import { linear } from "../../src/ops/core/linear";
import { registry } from "../../src/ops/index";
import { createRuntime } from "../../src/runtime/create-runtime";
import type { LoadOptions } from "../../src/runtime/runtime";
import { denseGraph, expectSameBytes, networkGraph, randomFeeds } from "../check-model";
import { runReference } from "../reference/index";

const graph = networkGraph();
const bytes = writeArtifact(graph);
const feeds = randomFeeds(graph, 2);
const expected = runReference(graph, feeds);
const { load, loadSync, loadGraph, loadGraphSync, info } = createRuntime(registry, inlined);

/** The model gives what the reference gives, and is let go. */
function expectRuns(model: Model): void {
  const outputs = model.runSync(feeds);
  for (const name of graph.outputs) expectSameBytes(outputs[name], expected.get(name)!, name);
  model.dispose();
}

const folder = mkdtempSync(join(tmpdir(), "octette-"));
const path = join(folder, "a model #1.octette");
let server: Server;
let origin: string;
beforeAll(async () => {
  writeFileSync(path, bytes);
  server = createServer((request, response) => {
    if (request.url === "/model.octette") response.end(bytes);
    else if (request.url === "/huge") response.setHeader("content-length", 2 ** 32).flushHeaders();
    else response.writeHead(404).end("unknown model");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

async function* chunks(length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

describe("a model is loaded from", () => {
  const sources: Record<string, () => BytesSource> = {
    "a Uint8Array": () => bytes,
    "a Buffer": () => Buffer.from(bytes),
    "a part of a larger array": () => new Uint8Array([0, ...bytes, 0]).subarray(1, 1 + bytes.length),
    "an ArrayBuffer": () => bytes.buffer,
    "a Blob": () => new Blob([bytes]),
    "a Response": () => new Response(bytes),
    "chunks of 7 bytes": () => chunks(7),
    "one chunk": () => chunks(bytes.length),
    "a stream": () => new Blob([bytes]).stream() as unknown as AsyncIterable<Uint8Array>,
    "a path": () => path,
    "a file URL": () => pathToFileURL(path),
    "a file URL as text": () => pathToFileURL(path).href,
    "a web address": () => `${origin}/model.octette`,
  };
  for (const [name, source] of Object.entries(sources))
    test(name, async () => expectRuns(await load(source())));

  test("bytes at once", () => {
    for (const source of [bytes, bytes.buffer, Buffer.from(bytes)]) expectRuns(loadSync(source));
  });

  test("a model keeps no weights of the file it was loaded from", async () => {
    for (const model of [loadSync(bytes), await load(path), await load(chunks(100))]) {
      for (const { data } of model.graph.constants.values())
        expect(data === undefined || data.buffer !== bytes.buffer).toBe(true);
      expect([...model.graph.constants.values()].some(({ data }) => !data)).toBe(true);
      model.dispose();
    }
  });

  test("a graph in memory", async () => {
    expectRuns(await loadGraph(graph));
    expectRuns(loadGraphSync(graph));
  });
});

describe("what cannot be loaded is said by name", () => {
  const wrong: [string, () => unknown, RegExp, string][] = [
    [
      "a missing file",
      () => join(folder, "none.octette"),
      /none\.octette: cannot be read: ENOENT/,
      "argument",
    ],
    ["a folder", () => folder, /octette-.*: cannot be read: EISDIR/, "argument"],
    [
      "a file URL of a missing file",
      () => new URL("file:///none.octette"),
      /file:\/\/\/none\.octette: cannot be/,
      "argument",
    ],
    ["a file URL that is none", () => "file://%", /file:\/\/%: cannot be read/, "argument"],
    [
      "an address without an answer",
      () => "http://127.0.0.1:9/m",
      /127\.0\.0\.1:9\/m: cannot be read/,
      "argument",
    ],
    [
      "an address that is missing",
      () => `${origin}/none`,
      /\/none: server answered 404 Not Found/,
      "argument",
    ],
    [
      "a body beyond the limit",
      () => `${origin}/huge`,
      /\/huge: is too large: expected at most 2147483648/,
      "limit",
    ],
    [
      "a Response that failed",
      () => new Response("", { status: 500 }),
      /response: server answered 500/,
      "argument",
    ],
    [
      "chunks of text",
      () =>
        (async function* () {
          yield "text";
        })(),
      /a chunk is not a Uint8Array.*got String/,
      "argument",
    ],
    ["a number", () => 7, /source: cannot be read: expected bytes, Blob.*got Number/, "argument"],
    ["null", () => null, /source: cannot be read/, "argument"],
    [
      "bytes of something else",
      () => new TextEncoder().encode("hello, world"),
      /model.*truncated|model.*too long/,
      "format",
    ],
  ];
  for (const [name, source, message, code] of wrong)
    test(name, async () => {
      const error = await load(source() as BytesSource).catch((cause) => cause);
      expect(error.message).toMatch(message);
      expect(error).toMatchObject({ code });
    });

  test("a Response that was read before", async () => {
    const response = new Response(bytes);
    await response.arrayBuffer();
    await expect(load(response)).rejects.toMatchObject({ code: "argument" });
  });

  test("a truncated file, with its path", async () => {
    const short = join(folder, "short.octette");
    writeFileSync(short, bytes.slice(0, 100));
    await expect(load(short)).rejects.toThrow(/short\.octette at byte 100: truncated/);
  });
});

describe("wasm is taken from", () => {
  const respond = (body: Uint8Array) =>
    new Response(body as Uint8Array<ArrayBuffer>, { headers: { "content-type": "application/wasm" } });
  const compiled = (body: Uint8Array) => new WebAssembly.Module(body as Uint8Array<ArrayBuffer>);
  const options = (wasm: WasmSources): LoadOptions => ({ wasm, engineClass: "baseline" });
  const files = {
    common: new URL("../../build/wasm/common.wasm", import.meta.url),
    baseline: new URL("../../build/wasm/baseline.wasm", import.meta.url),
  };
  const both = <T>(of: (body: Uint8Array) => T) => ({ common: of(commonBytes), baseline: of(baselineBytes) });

  test("bytes, modules, Responses and files", async () => {
    for (const sources of [both((body) => body), both(compiled), both(respond), files])
      expectRuns(await load(bytes, options(sources)));
    for (const sources of [both((body) => body), both(compiled)])
      expectRuns(loadSync(bytes, options(sources)));
  });

  test("a Response once for any number of loads, overlapping or not", async () => {
    const sources = both(respond);
    const models = await Promise.all([1, 2, 3].map(() => load(bytes, options(sources))));
    for (const model of models) expectRuns(model);
    expectRuns(await load(bytes, options(sources)));
    expectRuns(loadSync(bytes, options(sources)));
  });

  test("a Response not at once, and the error says what to do", () => {
    expect(() => loadSync(bytes, options(both(respond)))).toThrow(
      expect.objectContaining({
        code: "unsupported",
        message: expect.stringMatching(
          /^wasm\.common: its kernels are not here yet\. Give its bytes, or take the asynchronous load/,
        ),
      }),
    );
  });

  test("nothing that is no wasm, or not the right one: errors that name the group", async () => {
    const page = new TextEncoder().encode("<!doctype html>");
    const wrong: [WasmSources, RegExp][] = [
      [{ common: page }, /^wasm\.common: the module does not compile/],
      [{ baseline: page }, /^wasm\.baseline: the module does not compile/],
      [{ common: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0) }, /wasm has no kernel/],
    ];
    for (const [sources, message] of wrong) {
      const error = expect.objectContaining({ code: "engine", message: expect.stringMatching(message) });
      await expect(load(bytes, options(sources))).rejects.toEqual(error);
      expect(() => loadSync(bytes, options(sources))).toThrow(error);
    }
    const missing = { common: new Response("", { status: 404 }) };
    await expect(load(bytes, options(missing))).rejects.toThrow(/response: server answered 404/);
  });
});

describe("a runtime of few ops", () => {
  test("loads what it has ops for", () => {
    const dense = denseGraph({ k: 3, n: 2, mode: "float" });
    const model = createRuntime({ Linear: linear }, inlined).loadGraphSync(dense);
    expect(model.runSync(randomFeeds(dense, 1)).y!.shape).toEqual([1, 2]);
    model.dispose();
  });

  test("and names all that it lacks otherwise", () => {
    expect(() => createRuntime({ Linear: linear }, inlined).loadSync(bytes)).toThrow(
      expect.objectContaining({
        code: "unsupported",
        message: expect.stringMatching(/not in this runtime: \w+(, \w+)+\. Add/),
      }),
    );
  });

  test("says which class of kernels it runs, and why", () => {
    expect(info()).toMatchObject({
      engineClass: expect.stringMatching(/baseline|relaxed/),
      reason: expect.stringMatching(/^this engine/),
    });
  });
});
