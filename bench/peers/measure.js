// One runtime on one model, in a process of its own: node measure.js RUNTIME MODEL → JSON, the median in microseconds and
// quantiles of the output.

import { readFile } from "node:fs/promises";
import { readArtifact } from "../../build/index.js";
import { fill } from "../graphs.js";
import { timeOf } from "./timing.js";

const QUANTILES = 16;

const [runtime, path] = process.argv.slice(2);
const { graph } = readArtifact(await readFile(`${path}.octette`));
const { prepare } = await import(`./${runtime}.js`);
const feeds = Object.fromEntries(graph.inputs.map(({ name, dtype, shape }) => [name, fill(dtype, shape)]));
const run = await prepare({ graph, feeds, onnx: await readFile(`${path}.onnx`) });

const milliseconds = await timeOf(run);
const sorted = Float32Array.from(await run()).sort();
const quantiles = Array.from(
  { length: QUANTILES + 1 },
  (_, i) => sorted[Math.floor((i / QUANTILES) * (sorted.length - 1))],
);
console.log(JSON.stringify({ microseconds: 1000 * milliseconds, quantiles }));
process.exit(0);
