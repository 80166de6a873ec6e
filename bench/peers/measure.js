// One runtime on one model, in a process of its own: node measure.js RUNTIME MODEL → JSON, the median in microseconds and
// quantiles of the output.

import { readFile } from "node:fs/promises";
import { readArtifact } from "../../build/index.js";
import { fill } from "../graphs.js";

const MEASURE_MS = 700;
/** The engine optimises in the background, on the same core: warm is what did not get faster for a while. */
const WARM_UP = { windowMs: 500, leastWindows: 4, mostWindows: 20, faster: 0.9 };
/** A clock's reading stands for calls of this time, or for one call. */
const SAMPLE_MS = 0.5;
/** V8 puts in its optimised code between tasks. */
const PAUSE_MS = 50;
const QUANTILES = 16;

const [runtime, path] = process.argv.slice(2);
const { graph } = readArtifact(await readFile(`${path}.octette`));
const { prepare } = await import(`./${runtime}.js`);
const feeds = Object.fromEntries(graph.inputs.map(({ name, dtype, shape }) => [name, fill(dtype, shape)]));
const run = await prepare({ graph, feeds, onnx: await readFile(`${path}.onnx`) });

/** Runs for a while and returns the median of milliseconds a run. Results that are promises are awaited, others not. */
async function measure(ms, calls) {
  const samples = [];
  const start = performance.now();
  let pause = start;
  for (let now = start; now - start < ms || samples.length < 5; ) {
    for (let i = 0; i < calls; i++) {
      const result = run();
      if (result instanceof Promise) await result;
    }
    const end = performance.now();
    samples.push((end - now) / calls);
    now = end;
    if (now - pause < PAUSE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    pause = now = performance.now();
  }
  return samples.sort((a, b) => a - b)[samples.length >> 1];
}

async function warmUp() {
  let best = Number.POSITIVE_INFINITY;
  for (let window = 1; window <= WARM_UP.mostWindows; window++) {
    const time = await measure(WARM_UP.windowMs, 1);
    if (window >= WARM_UP.leastWindows && time > WARM_UP.faster * best) break;
    best = Math.min(best, time);
  }
  return best;
}

const calls = Math.ceil(SAMPLE_MS / (await warmUp()));
const milliseconds = await measure(MEASURE_MS, calls);
const sorted = Float32Array.from(await run()).sort();
const quantiles = Array.from(
  { length: QUANTILES + 1 },
  (_, i) => sorted[Math.floor((i / QUANTILES) * (sorted.length - 1))],
);
console.log(JSON.stringify({ microseconds: 1000 * milliseconds, quantiles }));
process.exit(0);
