// The main job on two models: quantize each, naively and as octette does, and measure both against the float model.
// Every figure in the table is measured here. Run it with `node examples/digits/run.js` after `npm ci`.

import { readFile, writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createProgress,
  evaluate,
  formatBytes,
  formatMicroseconds,
  formatPercent,
  formatTable,
  importOnnx,
  load,
  openDataset,
  parseNormalize,
  quantize,
  save,
} from "../../build/index.js";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** Pixels are 0..16; the models take 0..1. */
const preprocessing = parseNormalize("1/16,0,1");
const CALIBRATION_SAMPLES = 512;
const BATCH = 32;
/** Kernels reach full speed within milliseconds; see "Tier-up" in docs/results.md. */
const WARM_UP_MS = 500;
const MEASURE_MS = 500;

const progress = createProgress(process.stderr);
const rows = [];
const written = [];

for (const name of ["digits", "digits_wild"]) {
  const onnx = await readFile(here(`${name}.onnx`));
  const imported = importOnnx(onnx, { name });
  const graph = { ...imported, inputs: imported.inputs.map((input) => ({ ...input, preprocessing })) };
  const train = (await openDataset(here("train.npz"), graph.inputs)).sample(CALIBRATION_SAMPLES, 0);
  const test = await openDataset(here("test.npz"), graph.inputs);
  const quantized = (label, options) =>
    quantize(graph, {
      ...options,
      calibration: train.batches(BATCH),
      onProgress: ({ stage, samples, total }) =>
        progress.update(`${name}, ${label}: ${stage}`, samples, total ?? train.count),
    });
  const naive = await quantized("naive 8-bit", { naive: true });
  const octette = await quantized("octette int8", {});
  progress.end();

  const artifact = save(octette.graph);
  await writeFile(here(`${name}.octette`), artifact);
  written.push(relative(process.cwd(), here(`${name}.octette`)) || `${name}.octette`);

  const float = await load(graph, { maxima: { batch: BATCH } });
  for (const [label, bytes, variant] of [
    ["float", onnx.length, graph],
    ["naive 8-bit", save(naive.graph).length, naive.graph],
    ["octette int8", artifact.length, artifact],
  ]) {
    const model = await load(variant, { maxima: { batch: BATCH } });
    const { top1, agreement } = await evaluate(model, test, { against: float });
    model.dispose();
    const single = await load(variant); // room for one image, as a device has it
    rows.push([
      name,
      label,
      formatPercent(top1, 1),
      formatPercent(agreement, 1),
      formatBytes(bytes),
      formatBytes(single.bytes),
      formatMicroseconds(latency(single, test)),
    ]);
    single.dispose();
  }
  float.dispose();
}

console.log(
  formatTable(["model", "as", "accuracy", "agrees with float", "file", "memory", "latency, one image"], rows),
);
console.log(`\nwrote ${written.join(" and ")}`);

/** Median time of one image, in microseconds, once the engine has warmed up. */
function latency(model, dataset) {
  const [feeds] = dataset.batches(1);
  for (const until = performance.now() + WARM_UP_MS; performance.now() < until; ) model.runSync(feeds);
  const times = [];
  for (const until = performance.now() + MEASURE_MS; performance.now() < until; ) {
    const start = performance.now();
    model.runSync(feeds);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[times.length >> 1] * 1000;
}
