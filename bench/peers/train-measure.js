// One runtime training one model, in a process of its own: node train-measure.js RUNTIME MODEL → JSON, milliseconds of a step
// and the first loss.

import { batched } from "../graphs.js";
import { RATE, samplesOf } from "../training.js";
import { timeOf } from "./timing.js";

/** A step that takes longer is warm soon after it begins, and taken once. */
const SLOW_MS = 5000;
const batches = { mlp: 64, resnet8: 32 };

const [runtime, name] = process.argv.slice(2);
const { prepare } = await import(`./train-${runtime.replace("-int8", "")}.js`);
const graph = batched[name];
const batch = batches[name];
const samples = samplesOf(graph, batch);
const labels = Int32Array.from({ length: batch }, (_, i) => i % 10);
const step = await prepare({ graph, samples, labels, rate: RATE, isCoded: runtime.endsWith("-int8") });
const start = performance.now();
const loss = await step();
const first = performance.now() - start;
console.log(JSON.stringify({ milliseconds: first > SLOW_MS ? first : await timeOf(step), loss }));
process.exit(0);
