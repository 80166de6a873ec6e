// A step of training beside that of other runtimes: SGD on the same numbers, in float elsewhere, in float and in 8 bits here.
//   npm install --prefix bench/peers --no-package-lock && node bench/peers/train.js [--node PATH] [--rounds N] [mlp|resnet8…]
// One thread; every measurement is a fresh process, the runtimes take turns, and a figure is the median over the rounds.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { formatMicroseconds, formatTable } from "../../build/terminal.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { node: { type: "string", default: process.execPath }, rounds: { type: "string", default: "3" } },
});
const script = fileURLToPath(new URL("train-measure.js", import.meta.url));
const steps = {
  mlp: ["octette", "octette-int8", "jax-js"],
  resnet8: ["octette", "octette-int8", "tfjs-cpu"],
};

const measure = (runtime, name) =>
  JSON.parse(
    execFileSync(values.node, [script, runtime, name], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }),
  );
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

const rows = [];
for (const [name, runtimes] of Object.entries(steps)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const found = Object.fromEntries(runtimes.map((runtime) => [runtime, []]));
  for (let round = 0; round < Number(values.rounds); round++)
    for (const runtime of runtimes) found[runtime].push(measure(runtime, name));
  const times = runtimes.map((runtime) => median(found[runtime].map(({ milliseconds }) => milliseconds)));
  const [own, coded, peer] = times;
  const losses = runtimes.map((runtime) => found[runtime][0].loss.toFixed(4));
  const cells = times.map((ms) => formatMicroseconds(1e3 * ms));
  rows.push([
    name,
    runtimes[2],
    ...cells,
    (peer / own).toFixed(2),
    (peer / coded).toFixed(2),
    losses.join(" "),
  ]);
}
const version = execFileSync(values.node, ["--version"], { encoding: "utf8" }).trim();
console.log(`Node ${version}, ${process.arch}, one thread, one run, ${values.rounds} rounds\n`);
const columns = ["step", "peer", "octette", "8 bits", "peer", "peer/octette", "peer/8 bits", "first losses"];
console.log(formatTable(columns, rows, { align: "ll" }));
