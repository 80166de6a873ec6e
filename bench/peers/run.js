// Octette beside other runtimes, on models written by this project: `npm run bench:peers`
//   node bench/peers/run.js [--node PATH] [--rounds N] [NAME…]
// One thread; every measurement is a fresh process, pinned to a core where `taskset` is there; the runtimes take turns, and
// a figure is the median over the rounds. LiteRT.js is left out: it takes .tflite files only, and does not run in Node.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadSync, quantize, save } from "../../build/index.js";
import { createProgress, formatMicroseconds, formatTable } from "../../build/terminal.js";
import { fill, floatLayer, int8Layer, layers, models } from "../graphs.js";
import { writeOnnx } from "../onnx.js";

const { values, positionals } = parseArgs({
  options: { node: { type: "string", default: process.execPath }, rounds: { type: "string", default: "3" } },
  allowPositionals: true,
});
const own = "octette";
/** Runtimes, and what they run. */
const peers = { "onnxruntime-web": ["int8", "float"], "tfjs-wasm": ["float"] };

const folder = fileURLToPath(new URL("../../build/peers/", import.meta.url));
const measureScript = fileURLToPath(new URL("measure.js", import.meta.url));
mkdirSync(folder, { recursive: true });

/** Runs a model on numbers of many sizes, as calibration data are. */
const calibration = ({ inputs: [{ name, dtype, shape }] }) =>
  [1, 0.5, 0.25].map((scale) => {
    const { data } = fill(dtype, shape);
    return { [name]: { dtype, shape, data: data.map((v) => v * scale) } };
  });

async function workloads() {
  const all = [];
  for (const [name, layer] of Object.entries(layers))
    all.push(
      { name, kind: "int8", graph: int8Layer(name, layer) },
      { name, kind: "float", graph: floatLayer(name, layer) },
    );
  for (const [name, graph] of Object.entries(models)) {
    const { graph: int8 } = await quantize(graph, { calibration: calibration(graph) });
    all.push({ name, kind: "int8", graph: int8 }, { name, kind: "float", graph });
  }
  return all.filter(
    ({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  );
}

/** The model as both files, and their path without ending. */
function writeModel(graph, index) {
  const path = `${folder}${index}`;
  const model = loadSync(graph);
  writeFileSync(`${path}.octette`, save(graph));
  writeFileSync(`${path}.onnx`, writeOnnx(graph, model.outputs));
  model.dispose();
  return path;
}

/** The last core this process may use, as a prefix of commands; nothing where `taskset` is not there. */
const pin = (() => {
  try {
    const affinity = execFileSync("taskset", ["-cp", `${process.pid}`], { encoding: "utf8" });
    return ["taskset", "-c", /(\d+)\s*$/.exec(affinity)[1]];
  } catch {
    return [];
  }
})();

function measure(runtime, path) {
  const [command, ...args] = [...pin, values.node, measureScript, runtime, path];
  return JSON.parse(execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }));
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

/** Whether two runtimes did the same work: int8 kernels round alike to a few codes. */
function agree(a, b) {
  const largest = Math.max(...a.map(Math.abs));
  return a.every((value, i) => Math.abs(value - b[i]) <= 0.03 * largest);
}

const rows = [];
const notes = [];
const progress = createProgress(process.stderr);
const asked = await workloads();
for (const [i, { name, kind, graph }] of asked.entries()) {
  const path = writeModel(graph, i);
  const runtimes = [own, ...Object.keys(peers).filter((peer) => peers[peer].includes(kind))];
  const found = Object.fromEntries(runtimes.map((runtime) => [runtime, []]));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const runtime of runtimes) found[runtime].push(measure(runtime, path));
  for (const runtime of runtimes)
    if (!agree(found[own][0].quantiles, found[runtime][0].quantiles))
      notes.push(`${name}, ${kind}: ${runtime} does not compute what ${own} does`);
  const times = Object.fromEntries(
    runtimes.map((runtime) => [runtime, median(found[runtime].map(({ microseconds }) => microseconds))]),
  );
  const best = Math.min(...runtimes.slice(1).map((peer) => times[peer]));
  const cells = [own, ...Object.keys(peers)].map((runtime) =>
    runtime in times ? formatMicroseconds(times[runtime]) : "–",
  );
  rows.push([name, kind, ...cells, (times[own] / best).toFixed(2)]);
  progress.update("models", i + 1, asked.length);
}
progress.end();
const version = execFileSync(values.node, ["--version"], { encoding: "utf8" }).trim();
console.log(`Node ${version}, ${process.arch}, one thread, one run, ${values.rounds} rounds\n`);
console.log(
  formatTable(["model", "", own, ...Object.keys(peers), "own/best"], rows, {
    align: "llrrrr",
  }),
);
for (const note of notes) console.log(note);
