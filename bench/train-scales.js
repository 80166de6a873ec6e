// What a step of training costs while scales of activations move, beside a step in which they stay: processor time of a step.
//   npm run build && node bench/train-scales.js [digits|resnet8|mobile…]

import { formatMicroseconds, formatTable } from "../build/terminal.js";
import { createStep, modelOf, RATE, samplesOf } from "./training.js";

const BATCH = 32;
const WARM_UP = 60;
const ROUNDS = 15;
const ROUND_MS = 60;

const kinds = {
  stay: undefined,
  "follow ranges": { kind: "moving", momentum: 0.01, freezeAt: Infinity },
  "are learned": { kind: "learned" },
};
const asked = process.argv.slice(2);
const names = asked.length > 0 ? asked : ["digits", "resnet8"];

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** Microseconds of processor time a step, for about so many milliseconds. */
function costOf({ run }) {
  const from = process.cpuUsage();
  let steps = 0;
  for (const end = performance.now() + ROUND_MS; performance.now() < end; steps++) run();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / steps;
}

const rows = [];
for (const name of names) {
  const graph = modelOf(name);
  const samples = samplesOf(graph, BATCH);
  const labels = Int32Array.from({ length: BATCH }, (_, i) => i % 10);
  const steps = [];
  for (const activations of Object.values(kinds))
    steps.push(
      await createStep({ graph, samples, labels, rate: RATE, isCoded: true, momentum: 0, activations }),
    );
  for (const { run } of steps) for (let i = 0; i < WARM_UP; i++) run();
  const costs = steps.map(() => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, step] of steps.entries()) costs[i].push(costOf(step));
  const [stay, ...others] = costs.map(median);
  rows.push([
    `${name}, batch ${BATCH}`,
    ...[stay, ...others].map(formatMicroseconds),
    ...others.map((cost) => (cost / stay).toFixed(2)),
  ]);
  for (const { trainer } of steps) trainer.dispose();
}
const [stay, ...others] = Object.keys(kinds);
console.log(`Node ${process.versions.node}, ${process.arch}, one thread: a step of SGD while scales…\n`);
console.log(formatTable(["step", stay, ...others, ...others.map((kind) => `${kind}, ratio`)], rows));
