// How much accuracy fine-tuning brings back, with default options: `node bench/tune.js [--bits 8,4] [--seeds 0,1,2]
// [--train all|scales|…] [--epochs N] [NAME…]`. Three epochs over the 12 000 training images of CIFAR-10, half of them mirrored, a tenth
// put aside to choose the state that is kept; measured on the 4 000 test images. A run takes about a minute on one core.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createDataset, importOnnx, loadSync, quantize, tensor, tune } from "../build/index.js";
import { formatBytes } from "../build/terminal.js";
import { cifar, dataFolder, top1 } from "./data.js";

const { values, positionals } = parseArgs({
  options: {
    bits: { type: "string", default: "8,4" },
    seeds: { type: "string", default: "0,1,2" },
    train: { type: "string", default: "all" },
    epochs: { type: "string", default: "3" },
  },
  allowPositionals: true,
});
if (!existsSync(dataFolder)) {
  console.error(`no data in ${dataFolder}: set OCTETTE_DATA`);
  process.exit(1);
}
const numbers = (list) => list.split(",").map(Number);
const names = positionals.length > 0 ? positionals : ["resnet8", "mobile", "mobile_wild"];
const [images, test] = [cifar("train"), cifar("test")];

function accuracyOf(graph) {
  const model = loadSync(graph, { maxima: { batch: 64 } });
  const accuracy = top1(model, test);
  model.dispose();
  return accuracy;
}

const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;

for (const name of names) {
  const float = importOnnx(readFileSync(join(dataFolder, `vision/${name}.onnx`)), { name });
  const [{ name: input }] = float.inputs;
  const count = images.labels.length;
  const data = createDataset(
    { [input]: tensor("f32", [count, ...images.shape], images.images) },
    float.inputs,
    {
      labels: tensor("i32", [count], images.labels),
    },
  );
  for (const bits of numbers(values.bits)) {
    const found = { calibrated: [], tuned: [] };
    let bytes = 0;
    for (const seed of numbers(values.seeds)) {
      const { graph } = await quantize(float, { bits, calibration: data.sample(512, seed).batches(32) });
      found.calibrated.push(accuracyOf(graph));
      const started = performance.now();
      const tuned = await tune(float, {
        data,
        bits,
        seed,
        flip: true,
        train: values.train,
        epochs: Number(values.epochs),
      });
      found.tuned.push(accuracyOf(tuned.graph));
      bytes = tuned.summary.bytes;
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      console.error(
        `${name}, ${bits} bits, seed ${seed}: ${found.tuned.at(-1).toFixed(2)} % in ${seconds} s`,
      );
    }
    console.log(
      `${name.padEnd(12)} ${bits} bits  float ${accuracyOf(float).toFixed(2)}  calibrated ${mean(found.calibrated).toFixed(2)}  ` +
        `tuned ${mean(found.tuned).toFixed(2)} (${found.tuned.map((x) => x.toFixed(2)).join(", ")})  ${formatBytes(bytes)} of wasm memory`,
    );
  }
}
