// The main job on two models: quantize each, naively and as octette does, and measure both against the float model. Then
// what fine-tuning brings back where weights have so few bits that conversion alone cannot keep accuracy.
// Every figure in the table is measured here. Run it with `node examples/digits/run.js` after `npm ci`.

import { readFile, writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  evaluate,
  importOnnx,
  load,
  openDataset,
  parseNormalize,
  quantize,
  save,
  tune,
} from "../../build/index.js";
import {
  createProgress,
  formatBytes,
  formatMicroseconds,
  formatPercent,
  formatTable,
} from "../../build/terminal.js";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
/** Pixels are 0..16; the models take 0..1. */
const preprocessing = parseNormalize("1/16,0,1");
const CALIBRATION_SAMPLES = 512;
const BATCH = 32;
/** Fewer bits of weights than eight, of the second model: what `tune` is told of each. */
const FEW_BITS = [
  { bits: 4, epochs: 3 },
  { bits: 2, epochs: 20, lr: 0.002, batch: 32 },
];
/** Kernels reach full speed within milliseconds; see "Tier-up" in docs/results.md. */
const WARM_UP_MS = 500;
const MEASURE_MS = 500;
const ROUNDS_A_TURN = 50;

const progress = createProgress(process.stderr);
const rows = [];
const written = [];

for (const name of ["digits", "digits_wild"]) {
  const onnx = await readFile(here(`${name}.onnx`));
  const imported = importOnnx(onnx, { name });
  const graph = { ...imported, inputs: imported.inputs.map((input) => ({ ...input, preprocessing })) };
  const data = await openDataset(here("train.npz"), graph.inputs);
  const train = data.sample(CALIBRATION_SAMPLES, 0);
  const test = await openDataset(here("test.npz"), graph.inputs);
  const quantized = (label, options) =>
    quantize(graph, {
      ...options,
      calibration: train.batches(BATCH),
      onProgress: ({ stage, done }) => progress.update(`${name}, ${label}: ${stage}`, done, train.count),
    });
  const naive = await quantized("naive 8-bit", { naive: true });
  const octette = await quantized("octette int8", {});
  progress.end();

  const artifact = save(octette.graph);
  await writeFile(here(`${name}.octette`), artifact);
  written.push(relative(process.cwd(), here(`${name}.octette`)) || `${name}.octette`);

  const float = await load(graph, { maxima: { batch: BATCH } });
  const variants = [
    { label: "float", bytes: onnx.length, source: graph },
    { label: "naive 8-bit", bytes: save(naive.graph).length, source: naive.graph },
    { label: "octette int8", bytes: artifact.length, source: artifact },
  ];
  for (const options of name === "digits_wild" ? FEW_BITS : []) {
    const { bits } = options;
    const calibrated = await quantized(`${bits}-bit weights`, { bits });
    const onStep = ({ step, steps }) => progress.update(`${name}, ${bits}-bit weights: tune`, step, steps);
    const tuned = await tune(graph, { data, ...options, onStep });
    progress.end();
    for (const [how, source] of [
      ["", save(calibrated.graph)],
      [", tuned", save(tuned.graph)],
    ])
      variants.push({ label: `${bits}-bit weights${how}`, bytes: source.length, source });
  }
  for (const variant of variants) {
    const model = await load(variant.source, { maxima: { batch: BATCH } });
    Object.assign(variant, await evaluate(model, test, { against: float }));
    model.dispose();
    variant.single = await load(variant.source); // room for one image, as a device has it
  }
  const times = latencies(
    variants.map(({ single }) => single),
    test,
  );
  variants.forEach(({ label, bytes, single, top1, agreement }, i) => {
    rows.push([
      name,
      label,
      formatPercent(top1, 1),
      formatPercent(agreement, 1),
      formatBytes(bytes),
      formatBytes(single.bytes),
      formatMicroseconds(times[i]),
    ]);
    single.dispose();
  });
  float.dispose();
}

console.log(
  formatTable(["model", "as", "accuracy", "agrees with float", "file", "memory", "latency, one image"], rows),
);
console.log(`\nwrote ${written.join(" and ")}`);

/** Median time of one image in microseconds, for each model; they take turns, so that all meet the same machine. */
function latencies(models, dataset) {
  const [feeds] = dataset.batches(1);
  const times = models.map(() => []);
  const start = performance.now();
  while (performance.now() < start + models.length * (WARM_UP_MS + MEASURE_MS)) {
    const warm = performance.now() > start + models.length * WARM_UP_MS;
    models.forEach((model, i) => {
      for (let round = 0; round < ROUNDS_A_TURN; round++) {
        const began = performance.now();
        model.runSync(feeds);
        if (warm) times[i].push(performance.now() - began);
      }
    });
  }
  return times.map((list) => list.sort((a, b) => a - b)[list.length >> 1] * 1000);
}
