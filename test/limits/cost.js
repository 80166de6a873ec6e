// What one file costs, in a process of its own: node cost.js BUILD FILE. Prints JSON: seconds of CPU, megabytes beyond
// those of the process before, how it ended, and how much slower this machine is than the one that limits are given for.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [, , build, file] = process.argv;
const octette = await import(pathToFileURL(resolve(join(build, "index.js"))).href);
const small = { name: "image", dtype: "f32", shape: ["batch", 1] };
const bytes = /\.(onnx|octette|delta)$/.test(file) ? new Uint8Array(readFileSync(file)) : undefined;

/** What people do with a file of this kind, each step named once it is done. */
async function* use() {
  if (!bytes) {
    await octette.openDataset(file, [small], { normalize: "1,0,1" });
    yield "opened";
    return;
  }
  if (file.endsWith(".delta")) {
    octette.applyDelta(new Uint8Array(readFileSync(file.replace(/[^/]*$/, "base.octette"))), bytes);
    yield "applied";
    return;
  }
  const graph = file.endsWith(".onnx") ? octette.importOnnx(bytes) : octette.readArtifact(bytes).graph;
  yield "read";
  const model = file.endsWith(".onnx") ? octette.loadSync(graph) : octette.loadSync(bytes);
  yield "loaded";
  model.dispose();
  octette.save(graph);
  yield "saved";
}

/** How often the reference is done, and the seconds of CPU that it takes on the machine that limits are given for. */
const TIMES = 4;
const REFERENCE_SECONDS = 0.25;

/** Work that does not change, like that which graphs cost: small objects, looked up by name. */
function reference() {
  let found = 0;
  for (let round = 0; round < 4; round++) {
    const makers = new Map();
    for (let i = 0; i < 20_000; i++) {
      const node = { op: "Relu", name: `node ${i}`, inputs: [`value ${i}`], outputs: [`value ${i + 1}`] };
      for (const output of node.outputs) makers.set(output, node);
    }
    for (const { inputs } of makers.values()) for (const input of inputs) if (makers.has(input)) found++;
  }
  return found;
}

function slownessOf(seconds) {
  const found = reference();
  const start = process.cpuUsage();
  for (let again = 0; again < TIMES; again++)
    if (reference() !== found) throw new Error("the reference does other work");
  return Math.max(1, seconds(process.cpuUsage(start)) / REFERENCE_SECONDS);
}

const cpu = process.cpuUsage();
const rss = process.memoryUsage().rss;
const done = [];
const times = [];
let error;
try {
  for await (const step of use()) {
    done.push(step);
    times.push(process.cpuUsage(cpu));
  }
} catch (cause) {
  const { name, message } = cause;
  error = {
    typed: cause instanceof octette.OctetteError,
    name,
    length: message.length,
    message: message.slice(0, 300),
  };
}
const seconds = ({ user, system }) => (user + system) / 1e6;
const spent = seconds(process.cpuUsage(cpu));
console.log(
  JSON.stringify({
    seconds: spent,
    slowness: spent < 1 ? 1 : slownessOf(seconds),
    steps: times.map(seconds),
    megabytes: Math.max(0, process.resourceUsage().maxRSS * 1024 - rss) / 1e6,
    done,
    error,
  }),
);
