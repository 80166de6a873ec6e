// What more threads gain: whole runs on one and on several, taking turns in short rounds, with a look at their bytes.
//   npm run build && node bench/threads.js [MODEL.octette|MODEL.onnx…] [--batch 8] [--threads 2]
// Without a model: the product of 512×512×512. It needs as many free cores as threads: `uptime` should say so.
//   node bench/threads.js --prefill M.octette [--threads 2] [--seconds 20]
// A language model that reads 64 tokens, kernel by kernel: of equal steps the time that few of all rounds stay below, which other work on the
// machine disturbs least. Then whole runs, in turns: a prompt of 512 tokens, and 64 tokens that are generated after it. Two threads of one
// core are no two cores: `lscpu -e` tells which CPUs share one, `taskset -c` keeps a process on some.

import { parseArgs } from "node:util";
import { load } from "../build/index.js";
import { formatMicroseconds, formatTable } from "../build/terminal.js";
import { fill, int8Layer, layers } from "./graphs.js";

const { values, positionals } = parseArgs({
  options: {
    batch: { type: "string", default: "8" },
    threads: { type: "string", default: "2" },
    prefill: { type: "string" },
    seconds: { type: "string", default: "20" },
  },
  allowPositionals: true,
});
const threads = Number(values.threads);
const GEMM = "GEMM 512×512×512";
const WARM_UP_MS = 600;
const ROUND_MS = 30;
const ROUNDS = 40;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

const TOKENS = 64;
/** Tokens of a whole prompt, and tokens generated after it. */
const PROMPT = 512;
const GENERATED = 64;
const POSITION = 256;
/** Share of the times of equal steps below the one that is told. */
const FEW = 0.003;
/** Kernels that are told of; all count. */
const TOLD = 12;

/** The model once all of its threads are up, or as many as there are. */
async function upOf(model) {
  for (let i = 0; i < 100 && model.engine.threadsReason === "its workers are starting"; i++) await sleep(10);
  return model;
}

const start = async (source, maxima, count) => upOf(await load(source, { maxima, threads: count }));

/** Steps of a chunk of a prompt on one thread and on several, taking turns. */
async function comparePrefill(path) {
  const { loadLanguageModel } = await import("../build/text.js");
  const languages = [];
  for (const count of [1, threads])
    languages.push(await loadLanguageModel(path, { threads: count, maxTokens: 1024 }));
  const models = await Promise.all(languages.map(({ decoder }) => upOf(decoder.model)));
  const vocabulary = models[0].outputs[0].shape.at(-1);
  const feeds = { ids: Int32Array.from({ length: TOKENS }, (_, i) => (i * 7919) % vocabulary) };
  const symbols = { position: POSITION, rows: 1 };
  const kernels = new Map();
  const begin = performance.now();
  for (let round = 0; performance.now() - begin < 1000 * Number(values.seconds); round++)
    for (const i of round % 2 ? [0, 1] : [1, 0])
      for (const { kernel, macs, milliseconds } of models[i].profile(feeds, 1, symbols)) {
        const key = `${kernel}${macs > 0 ? `, ${(macs / 1e6).toFixed(1)} M multiply-adds` : ""}`;
        if (!kernels.has(key)) kernels.set(key, [[], []]);
        if (round > 0) kernels.get(key)[i].push(milliseconds);
        if (round === 0 && i === 0) kernels.get(key).count = (kernels.get(key).count ?? 0) + 1;
      }
  const [one, many] = models.map((model) =>
    Buffer.from(Object.values(model.runSync(feeds, {}, symbols))[0].data.buffer),
  );
  const few = (times) => times.sort((a, b) => a - b)[Math.floor(times.length * FEW)];
  const told = [...kernels].map(([key, each]) => [key, each.count, ...each.map((t) => each.count * few(t))]);
  told.sort((a, b) => b[2] - a[2]);
  const sum = (i) => told.reduce((all, row) => all + row[i], 0);
  const all = ["all", sum(1), sum(2), sum(3)];
  console.log(`Node ${process.versions.node}, ${process.arch}, ${models[1].engine.engineClass}`);
  const rows = [...told.slice(0, TOLD), all].map(([key, count, a, b]) => [
    key,
    `${count}`,
    a.toFixed(3),
    b.toFixed(3),
    (a / b).toFixed(2),
  ]);
  const titles = [`${TOKENS} tokens`, "steps", "one thread, ms", `${threads} threads, ms`, "times as fast"];
  console.log(formatTable(titles, rows, { align: "lrrrr" }));
  console.log(one.equals(many) ? "the same bytes" : "DIFFERENT BYTES");
  await compareWhole(languages, vocabulary);
  for (const model of models) model.dispose();
}

/** Whole prompts and what is generated after them, on one thread and on several. */
async function compareWhole(languages, vocabulary) {
  const prompt = Int32Array.from({ length: PROMPT }, (_, i) => (i * 7919) % vocabulary);
  const times = { prefill: [[], []], decode: [[], []] };
  const begin = performance.now();
  for (let round = 0; performance.now() - begin < 1000 * Number(values.seconds); round++)
    for (const i of round % 2 ? [0, 1] : [1, 0]) {
      using session = languages[i].session();
      const start = performance.now();
      await session.prefill(prompt);
      const first = performance.now();
      for await (const _ of session.generate([], { maxTokens: GENERATED }));
      if (round === 0) continue;
      times.prefill[i].push(first - start);
      times.decode[i].push(performance.now() - first);
    }
  const rows = Object.entries(times).map(([name, [one, many]]) => [
    name,
    `${one.length}`,
    median([...one]).toFixed(1),
    median([...many]).toFixed(1),
    median(one.map((time, i) => time / many[i])).toFixed(2),
    (Math.min(...one) / Math.min(...many)).toFixed(2),
  ]);
  const titles = [
    "whole runs",
    "rounds",
    "one thread, ms",
    `${threads} threads, ms`,
    "times as fast",
    "fastest",
  ];
  console.log(formatTable(titles, rows, { align: "lrrrrr" }));
}

if (values.prefill !== undefined) {
  await comparePrefill(values.prefill);
  process.exit();
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
