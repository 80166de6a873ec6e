// The server of a folder: its files with their types and headers, and nothing else, to nobody else.

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveFolder } from "../../src/bundle/serve";

const folder = mkdtempSync(join(tmpdir(), "octette-serve-"));
const root = join(folder, "page");
const ending = new AbortController();
let port: number;
let ended: Promise<void>;

beforeAll(async () => {
  mkdirSync(root);
  mkdirSync(join(folder, "page-beside"));
  writeFileSync(join(folder, "secret.txt"), "secret");
  writeFileSync(join(folder, "page-beside", "secret.txt"), "secret");
  symlinkSync(join(folder, "secret.txt"), join(root, "link.txt"));
  for (const name of ["index.html", "a script.js", "page.css", "icon.svg", "common.wasm", "m.octette"])
    writeFileSync(join(root, name), name);
  const served = await serveFolder(root, undefined, ending.signal);
  port = Number(new URL(served.address).port);
  ended = served.ended;
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** What it answers to a path that is sent as it stands. */
const ask = (path: string, { method = "GET", host = `localhost:${port}` } = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", path, method, headers: { host } }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    })
      .on("error", reject)
      .end();
  });

test("files have the types that browsers need, and the headers that isolate a page", async () => {
  const types = {
    "/": "text/html; charset=utf-8",
    "/index.html": "text/html; charset=utf-8",
    "/a%20script.js?v=1": "text/javascript; charset=utf-8",
    "/page.css": "text/css; charset=utf-8",
    "/icon.svg": "image/svg+xml",
    "/common.wasm": "application/wasm",
    "/m.octette": "application/octet-stream",
  };
  for (const [path, type] of Object.entries(types)) {
    const { status, headers, text } = await ask(path);
    expect({ path, status, type: headers["content-type"] }).toEqual({ path, status: 200, type });
    expect(headers).toMatchObject({
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "x-content-type-options": "nosniff",
      "content-length": `${text.length}`,
    });
  }
  expect(await ask("/index.html", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
});

test("nothing outside of the folder, by no spelling", async () => {
  const paths = [
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/..%5csecret.txt",
    "//secret.txt",
    `/${encodeURIComponent(join(folder, "secret.txt"))}`,
    "/../page-beside/secret.txt",
    "/..%2fpage-beside%2fsecret.txt",
    "/link.txt",
    "/none",
    "/%00",
    "/%zz",
  ];
  for (const path of paths) {
    const { status, text } = await ask(path);
    expect({ path, status, text }).toEqual({ path, status: 404, text: "no such file" });
  }
});

test("nobody but pages of localhost, and no other methods", async () => {
  expect(await ask("/", { host: "attacker.example" })).toMatchObject({ status: 403 });
  expect(await ask("/", { host: `127.0.0.1:${port}` })).toMatchObject({ status: 200 });
  for (const method of ["POST", "PUT", "DELETE"])
    expect(await ask("/", { method })).toMatchObject({ status: 405 });
});

test("ends with its signal, connections and all", async () => {
  const socket = connect(port, "127.0.0.1");
  await new Promise((resolve) => socket.once("connect", resolve));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  ending.abort();
  await Promise.all([ended, closed]);
  await expect(ask("/")).rejects.toThrow(/ECONNREFUSED/);
});
