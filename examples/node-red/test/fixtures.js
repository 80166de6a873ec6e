// A flow of a test: its server, its nodes, and what they answer.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import { crc32, deflateSync } from "node:zlib";
import helper from "node-red-node-test-helper";
import { models } from "../open.js";

const require = createRequire(import.meta.url);
export const nodes = require("../octette.cjs");
export const catchNode = require("@node-red/nodes/core/common/25-catch.js");

helper.init(require.resolve("node-red"));

export { helper };

/** A folder for the tests of a file and a server for their flows. No model may be left open by a flow. */
export async function serveFlows() {
  const folder = await mkdtemp(join(tmpdir(), "octette-node-red-"));
  before(() => new Promise((resolve) => helper.startServer(resolve)));
  afterEach(async () => {
    await helper.unload();
    assert.equal(models.count, 0);
  });
  after(async () => {
    await new Promise((resolve) => helper.stopServer(resolve));
    await rm(folder, { recursive: true });
  });
  return folder;
}

/** A grey PNG of 8 × 8 pixels. */
export function pngOf(pixels) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const rows = Array.from({ length: 8 }, (_, y) => Buffer.from([0, ...pixels.subarray(8 * y, 8 * y + 8)]));
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", Buffer.from([0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0])),
    chunk("IDAT", deflateSync(Buffer.concat(rows))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Sends a message to a node; resolves to what it sends on, or to what a catch node receives. */
export function ask(id, message) {
  return new Promise((resolve) => {
    for (const name of ["answers", "errors"]) {
      const sink = helper.getNode(name);
      sink.removeAllListeners("input");
      sink.on("input", resolve);
    }
    helper.getNode(id).receive(message);
  });
}

/** A node of the tab. */
export const nodeOf = (id, type, facts) => ({
  id,
  type,
  z: "tab",
  x: 0,
  y: 0,
  wires: [["answers"]],
  ...facts,
});

/** A tab with a model, a node, and sinks of its answers and its errors. */
export const flowOf = (model, node, others = []) => [
  { id: "tab", type: "tab" },
  { id: "model", type: "octette-model", threads: "1", ...model },
  nodeOf("node", "octette-run", { model: "model", ...node }),
  nodeOf("caught", "catch", { scope: null, wires: [["errors"]] }),
  nodeOf("answers", "helper"),
  nodeOf("errors", "helper"),
  ...others,
];
