// What a step of training costs: its time beside that of the same step in float, where that goes, and its memory beside what
// it would be with float activations.
//   npm run build && node bench/train.js [mlp|resnet8|mobile…]

import { formatBytes, formatMicroseconds, formatTable } from "../build/terminal.js";
import { memoryOf } from "./train-memory.js";
import { createStep, modelOf, RATE, samplesOf } from "./training.js";

const WARM_UP_MS = 1000;
const ROUND_MS = 100;
const ROUNDS = 15;
const SHOWN = 14;

const batches = { mlp: 64, resnet8: 32, mobile: 32 };
const asked = process.argv.slice(2);
const names = Object.keys(batches).filter((name) => asked.length === 0 || asked.includes(name));

const pause = () => new Promise((resolve) => setTimeout(resolve, 0));
const sorted = (numbers) => numbers.toSorted((a, b) => a - b);
const median = (numbers) => sorted(numbers)[numbers.length >> 1];
/** Of steps one by one: other work on the machine lengthens a long one more often than a short one. */
const lowDecile = (numbers) => sorted(numbers)[Math.floor(numbers.length / 10)];

function timesFor(ms, run) {
  const times = [];
  for (const end = performance.now() + ms; performance.now() < end; ) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  return times;
}

/** Milliseconds of each step, in turns: the median of a round, of all rounds. */
async function measure(steps) {
  for (const { run } of steps)
    for (const end = performance.now() + WARM_UP_MS; performance.now() < end; await pause()) run();
  const rounds = steps.map(() => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, { run }] of steps.entries()) {
      rounds[i].push(median(timesFor(ROUND_MS, run)));
      await pause();
    }
  return rounds.map(median);
}

/** Multiply-adds of a step in all its rounds, whose dimensions are multiples of the batch. */
const numberOf = (dim, batch) =>
  typeof dim === "number"
    ? dim
    : dim.split("*").reduce((n, factor) => n * (factor.startsWith("batch") ? batch : Number(factor)), 1);

/** Time and speed of each kernel in a step. */
function kernelsOf({ trainer, profile }, batch) {
  const profiles = Array.from({ length: 30 }, profile);
  const kernels = new Map();
  for (const [i, { kernel, macs }] of trainer.plan.steps.entries()) {
    const sum = kernels.get(kernel) ?? { ms: 0, macs: 0 };
    sum.ms += lowDecile(profiles.map((times) => times[i]));
    sum.macs += numberOf(macs, batch);
    kernels.set(kernel, sum);
  }
  const total = [...kernels.values()].reduce((sum, { ms }) => sum + ms, 0);
  return [...kernels]
    .sort(([, a], [, b]) => b.ms - a.ms)
    .slice(0, SHOWN)
    .map(([kernel, { ms, macs }]) => [
      kernel,
      formatMicroseconds(ms * 1e3),
      `${((100 * ms) / total).toFixed(1)} %`,
      macs > 0 ? (macs / ms / 1e6).toFixed(1) : "",
    ]);
}

function memoryRow(name, { step, trainer }, batch) {
  const { engineClass } = trainer.plan;
  const coded = memoryOf(step, batch, engineClass, false);
  const floats = memoryOf(step, batch, engineClass, true);
  const percent = (what) => `${((100 * coded[what]) / floats[what]).toFixed(1)} %`;
  const taken = trainer.state(trainer.states[0]).buffer.byteLength;
  return [
    name,
    ...[coded.plan, taken, floats.plan].map(formatBytes),
    percent("plan"),
    ...[coded.saved, floats.saved].map(formatBytes),
    percent("saved"),
  ];
}

const times = [];
const memory = [];
const profiles = [];
let engineClass;
for (const name of names) {
  const batch = batches[name];
  const graph = modelOf(name);
  const samples = samplesOf(graph, batch);
  const labels = Int32Array.from({ length: batch }, (_, i) => i % 10);
  const of = (isCoded, momentum) => createStep({ graph, samples, labels, rate: RATE, isCoded, momentum });
  const [float, coded] = [await of(false, 0), await of(true, 0)];
  ({ engineClass } = coded.trainer.plan);
  const [floatTime, codedTime] = await measure([float, coded]);
  const cells = [floatTime, codedTime].map((ms) => formatMicroseconds(ms * 1e3));
  times.push([`${name}, batch ${batch}`, ...cells, (codedTime / floatTime).toFixed(2)]);
  profiles.push([name, kernelsOf(coded, batch)]);
  const withMomentum = await of(true, 0.9);
  memory.push(memoryRow(name, withMomentum, batch));
  for (const { trainer } of [float, coded, withMomentum]) trainer.dispose();
}

console.log(
  `Node ${process.versions.node}, ${process.arch}, one thread, int8 class ${engineClass}; a step of SGD\n`,
);
console.log(formatTable(["step", "float", "8 bits", "8 bits / float"], times));
for (const [name, rows] of profiles)
  console.log(`\n${formatTable([`${name}, 8 bits`, "time", "share", "GMAC/s"], rows)}`);
const columns = ["plan", "taken", "of floats", "ratio", "kept", "of floats", "ratio"];
console.log(`\n${formatTable(["8 bits, momentum", ...columns], memory)}`);
