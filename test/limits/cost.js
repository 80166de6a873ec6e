// What one file costs, in a process of its own: node cost.js BUILD FILE. Prints JSON: seconds of CPU, megabytes beyond
// those of the process before, and how it ended.

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
const { user, system } = process.cpuUsage(cpu);
console.log(
  JSON.stringify({
    seconds: (user + system) / 1e6,
    steps: times.map(({ user, system }) => (user + system) / 1e6),
    megabytes: Math.max(0, process.resourceUsage().maxRSS * 1024 - rss) / 1e6,
    done,
    error,
  }),
);
