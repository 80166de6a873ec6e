// Deploys a flow again and again in a Node-RED of its own: two models, one of them in workers, and four nodes. Prints a line of JSON
// after each deploy, an answer of each node, and a garbage collection: models that are open, the resident set of the process, and the
// heap of JavaScript with what it holds outside of itself, wasm memory and buffers. In MB.
//   npm run redeploys [-- COUNT]      50 by default

import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { models } from "./open.js";
import { samplesOf, writeDigits } from "./test/digits.js";

const RED = createRequire(import.meta.url)("node-red");
const [count = 50] = process.argv.slice(2).map(Number);

const userDir = await mkdtemp(join(tmpdir(), "octette-redeploys-"));
const scope = join(userDir, "node_modules", "@octette");
await mkdir(scope, { recursive: true });
await symlink(fileURLToPath(new URL(".", import.meta.url)), join(scope, "node-red"));
await writeDigits(join(userDir, "digits.octette"));
const [{ image }] = await samplesOf("test");

RED.init({
  userDir,
  httpAdminRoot: false,
  flowFile: "flows.json",
  credentialSecret: false,
  logging: { console: { level: "error" } },
});
const isUp = once(RED.events, "flows:started");
await RED.start();
await isUp;

const nodeOf = (id, type, model) => ({ id, type, z: "tab", x: 0, y: 0, model, wires: [["end"]] });
const flows = [
  { id: "tab", type: "tab" },
  { id: "here", type: "octette-model", file: "digits.octette", threads: "1" },
  { id: "there", type: "octette-model", file: "digits.octette", worker: true, folder: "octette" },
  nodeOf("a", "octette-run", "here"),
  nodeOf("b", "octette-run", "here"),
  nodeOf("c", "octette-run", "there"),
  nodeOf("d", "octette-learn", "there"),
  { id: "end", type: "junction", z: "tab", x: 0, y: 0, wires: [] },
];

/** Resolves when a node has sent an answer. */
const answerOf = (id) =>
  new Promise((resolve) => {
    RED.hooks.add(`onSend.${id}`, ([{ msg, source }]) => {
      if (source.id !== id) return;
      RED.hooks.remove(`*.${id}`);
      resolve(msg);
    });
    RED.nodes.getNode(id).receive({ payload: image, label: 0 });
  });

const MB = 2 ** 20;
for (let deploy = 1; deploy <= count; deploy++) {
  const started = once(RED.events, "flows:started");
  await RED.runtime.flows.setFlows({ flows: { flows }, deploymentType: "full" });
  await started;
  for (const id of ["a", "b", "c", "d"]) await answerOf(id);
  global.gc();
  await new Promise((resolve) => setTimeout(resolve, 50));
  global.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { count: open, references } = models;
  console.log(JSON.stringify({ deploy, open, references, rss: rss / MB, heap: (heapUsed + external) / MB }));
}
await RED.stop();
const { count: open } = models;
console.log(JSON.stringify({ open }));
await rm(userDir, { recursive: true });
process.exit(0);
