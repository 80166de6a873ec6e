// What more threads gain: whole runs on one and on several, taking turns in short rounds, with a look at their bytes.
//   npm run build && node bench/threads.js [MODEL.octette|MODEL.onnx…] [--batch 8] [--threads 2]
// Without a model: the product of 512×512×512. It needs as many free cores as threads: `uptime` should say so.

import { parseArgs } from "node:util";
import { load } from "../build/index.js";
import { formatMicroseconds, formatTable } from "../build/terminal.js";
import { fill, int8Layer, layers } from "./graphs.js";

const { values, positionals } = parseArgs({
  options: { batch: { type: "string", default: "8" }, threads: { type: "string", default: "2" } },
  allowPositionals: true,
});
const threads = Number(values.threads);
const GEMM = "GEMM 512×512×512";
const WARM_UP_MS = 600;
const ROUND_MS = 30;
const ROUNDS = 40;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

/** The model on `count` threads, once all of them are up, or as many as there are. */
async function start(source, maxima, count) {
  const model = await load(source, { maxima, threads: count });
  for (let i = 0; i < 100 && model.engine.threadsReason === "its workers are starting"; i++) await sleep(10);
  return model;
}

function runFor(ms, run) {
  const times = [];
  for (const end = performance.now() + ms; performance.now() < end; ) {
    const from = performance.now();
    run();
    times.push(performance.now() - from);
  }
  return times;
}

const rows = [];
for (const source of positionals.length > 0 ? positionals : [int8Layer(GEMM, layers[GEMM])]) {
  const probe = await load(source);
  const batch = probe.inputs[0].shape.find((dim) => typeof dim === "string");
  probe.dispose();
  const maxima = batch === undefined ? {} : { [batch]: Number(values.batch) };
  const models = [await start(source, maxima, 1), await start(source, maxima, threads)];
  const feeds = Object.fromEntries(
    models[0].inputs.map(({ name, dtype, shape }) => {
      const sizes = shape.map((dim) => (typeof dim === "string" ? (maxima[dim] ?? 1) : dim));
      return [name, fill(dtype, sizes)];
    }),
  );
  const runs = models.map((model) => () => model.runSync(feeds));
  for (const run of runs) runFor(WARM_UP_MS, run);
  const times = runs.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    await sleep(0);
    for (const [i, run] of runs.entries()) times[i].push(median(runFor(ROUND_MS, run)));
  }
  const [one, many] = runs.map((run) => Object.values(run()).map(({ data }) => Buffer.from(data.buffer)));
  const ratios = times[0].map((time, i) => time / times[1][i]);
  rows.push([
    typeof source === "string" ? source : source.name,
    `${models[1].engine.threads}`,
    formatMicroseconds(median(times[0]) * 1e3),
    formatMicroseconds(median(times[1]) * 1e3),
    median(ratios).toFixed(2),
    one.every((bytes, i) => bytes.equals(many[i])) ? "same" : "DIFFERENT",
  ]);
  for (const model of models) model.dispose();
}
console.log(`Node ${process.versions.node}, ${process.arch}`);
console.log(formatTable(["model", "threads", "one thread", "several", "times as fast", "bytes"], rows));
